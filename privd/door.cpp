// SPDX-License-Identifier: Apache-2.0
//
// Implements the door to /proc, for a driver that cannot tell by itself what already runs. A link
// is answered with its text, because a descriptor of its target could be used to open other files.
#include "privd/door.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace tiercel::privd {

namespace {

// In the order of wire::ProcFile.
constexpr struct {
    const char* name;
    bool link;
} kFiles[] = {
    {"exe", true},   {"cwd", true},     {"cmdline", false},  {"status", false},
    {"stat", false}, {"cgroup", false}, {"loginuid", false},
};
static_assert(std::size(kFiles) == static_cast<std::size_t>(wire::ProcFile::count));

struct Path {
    char text[32];
};

// Makes the path of the requested file. Returns false if the request is not in the list.
bool make_path(const wire::DoorRequest& request, bool link, Path& path) {
    if (request.file >= wire::ProcFile::count || request.pid <= 0)
        return false;
    const auto& file = kFiles[static_cast<std::size_t>(request.file)];
    snprintf(path.text, sizeof path.text, "/proc/%d/%s", request.pid, file.name);
    return file.link == link;
}

} // namespace

os::UniqueFd open_door(const wire::DoorRequest& request, std::int32_t& failure) {
    failure = EINVAL;
    Path path{};
    if (!make_path(request, false, path))
        return {};
    // No name before the last can be a link: /proc is the system's, and a number a directory of it.
    os::UniqueFd file(open(path.text, O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    failure = file.valid() ? 0 : errno;
    return file;
}

std::int32_t read_link(const wire::DoorRequest& request, wire::LinkReply& reply) {
    Path path{};
    if (!make_path(request, true, path))
        return EINVAL;
    ssize_t length = readlink(path.text, reply.text, sizeof reply.text);
    if (length < 0)
        return errno;
    reply.length = static_cast<std::uint32_t>(length);
    return 0;
}

os::Result<void> answer_door(Session& session, const Record& record) {
    bool known = record.door.file < wire::ProcFile::count;
    if (known && kFiles[static_cast<std::size_t>(record.door.file)].link) {
        wire::LinkReply reply;
        reply.error = read_link(record.door, reply);
        return wire::send_message(session.socket, reply);
    }
    wire::DoorReply reply;
    os::UniqueFd file = open_door(record.door, reply.error);
    int fd = file.get();
    std::span<const int> fds(&fd, file.valid() ? 1 : 0);
    return wire::send_message(session.socket, reply, fds);
}

} // namespace tiercel::privd
