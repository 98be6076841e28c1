// SPDX-License-Identifier: Apache-2.0
//
// The door to /proc, for a driver that cannot tell by itself what already runs.
#include "privd/privd.h"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace tiercel::privd {

namespace {

// In the order of wire::ProcFile. A link is opened with O_PATH: through it, nothing can be read.
constexpr struct {
    const char* path;
    bool link;
} menu[] = {
    {"exe", true},    {"cwd", true},     {"root", true},     {"ns/pid", true},
    {"ns/mnt", true}, {"ns/net", true},  {"ns/user", true},  {"ns/cgroup", true},
    {"maps", false},  {"fdinfo", false}, {"cmdline", false}, {"status", false},
    {"stat", false},  {"cgroup", false}, {"environ", false}, {"loginuid", false},
};
static_assert(std::size(menu) == static_cast<std::size_t>(wire::ProcFile::count));

} // namespace

os::UniqueFd open_door(const wire::DoorRequest& request, std::int32_t& failure) {
    failure = EINVAL;
    if (request.file >= wire::ProcFile::count || request.pid <= 0)
        return {};
    const auto& dish = menu[static_cast<std::size_t>(request.file)];
    char path[64];
    int used = snprintf(path, sizeof path, "/proc/%d/%s", request.pid, dish.path);
    if (request.file == wire::ProcFile::fdinfo)
        snprintf(path + used, sizeof path - static_cast<std::size_t>(used), "/%u", request.fd);
    // No link is followed but the last component of the menu's own magic links.
    open_how how{};
    how.flags = O_CLOEXEC | (dish.link ? unsigned{O_PATH} : unsigned{O_RDONLY});
    how.resolve = dish.link ? 0 : RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
    os::UniqueFd file(static_cast<int>(syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how)));
    failure = file.valid() ? 0 : errno;
    return file;
}

os::Result<void> answer_door(Session& session, const Record& record) {
    wire::DoorReply reply;
    os::UniqueFd file = open_door(record.door, reply.error);
    int fd = file.get();
    return wire::send_message(session.socket, reply,
                              std::span<const int>(&fd, file.valid() ? 1 : 0));
}

} // namespace tiercel::privd
