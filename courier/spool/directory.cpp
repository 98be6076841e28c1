// SPDX-License-Identifier: Apache-2.0
#include "courier/spool/directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>

#include <memory>

namespace tiercel::courier {

os::Result<Directory> open_directory(const std::string& path) {
    Directory made{os::UniqueFd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)), {}};
    if (!made.fd.valid())
        return os::error("open the spool's directory", path);
    made.lock = os::UniqueFd(
        openat(made.fd.get(), "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!made.lock.valid())
        return os::error("write in the spool's directory", path);
    if (flock(made.lock.get(), LOCK_EX | LOCK_NB) != 0)
        return os::error("use the spool, which another courier uses", path);
    return made;
}

os::Result<AgentId> agent_id(const os::UniqueFd& directory) {
    AgentId id{};
    const os::UniqueFd file(
        openat(directory.get(), "agent-id", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file.valid())
        return os::error("open the spool's file", "agent-id");
    if (pread(file.get(), id.data(), id.size(), 0) == static_cast<ssize_t>(id.size()))
        return id;
    if (getrandom(id.data(), id.size(), 0) != static_cast<ssize_t>(id.size()) ||
        pwrite(file.get(), id.data(), id.size(), 0) != static_cast<ssize_t>(id.size()))
        return os::error("write the spool's file", "agent-id");
    return id;
}

std::vector<std::string> files_of(const os::UniqueFd& directory) {
    std::vector<std::string> names;
    const int fd = openat(directory.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const std::unique_ptr<DIR, int (*)(DIR*)> open(fdopendir(fd), closedir);
    while (const dirent* entry = open ? readdir(open.get()) : nullptr)
        names.emplace_back(entry->d_name);
    return names;
}

} // namespace tiercel::courier
