// SPDX-License-Identifier: Apache-2.0
//
// Describes the file or socket behind a descriptor of another process. Files are examined by
// stat(2) on the links of /proc/PID/fd, which opens nothing; sockets by a duplicate from
// pidfd_getfd(2).
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>
#include <string_view>

#include "ptrace/facts.h"
#include "ptrace/unix_peer.h"
#include "shared/os/file.h"
#include "shared/os/unique_fd.h"

namespace {

using tiercel::os::parse_unsigned;
using tiercel::os::read_file;
using tiercel::os::UniqueFd;

unsigned long long ns_of(const statx_timestamp& time) {
    return time.tv_sec < 0
               ? 0
               : static_cast<unsigned long long>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

// The value of a line "key:\tvalue".
unsigned long long value_of(std::string_view text, std::string_view key, int base) {
    const auto at = text.find(key);
    if (at == std::string_view::npos)
        return 0;
    text.remove_prefix(at + key.size());
    text.remove_prefix(std::min(text.find_first_not_of("\t "), text.size()));
    return parse_unsigned(text.substr(0, text.find('\n')), base).value_or(0);
}

// Reads what stat(2), statfs(2) and readlink(2) say about the file behind a link of /proc.
int look_at(const char* link, file_facts& out) {
    struct statx found {};
    if (statx(AT_FDCWD, link, 0, STATX_BASIC_STATS, &found) != 0)
        return -1;
    out.mode = found.stx_mode;
    out.uid = found.stx_uid;
    out.gid = found.stx_gid;
    out.dev = found.stx_dev_major << 20 | found.stx_dev_minor;
    out.ino = found.stx_ino;
    out.changed_ns = ns_of(found.stx_ctime);
    out.modified_ns = ns_of(found.stx_mtime);
    out.immutable = (found.stx_attributes & STATX_ATTR_IMMUTABLE) != 0;
    struct statfs filesystem {};
    if (statfs(link, &filesystem) == 0) {
        out.filesystem = static_cast<unsigned long long>(filesystem.f_type);
        out.read_only = (filesystem.f_flags & 1) != 0; // ST_RDONLY
    }
    const ssize_t got = readlink(link, out.path, sizeof out.path - 1);
    if (got <= 0)
        return 0;
    out.path[got] = 0;
    std::string_view path(out.path, static_cast<std::size_t>(got));
    constexpr std::string_view kDeleted = " (deleted)",
                               kAnonymous = "anon_inode:", kMemory = "/memfd:";
    if (found.stx_nlink == 0 && path.ends_with(kDeleted))
        out.path[path.size() - kDeleted.size()] = 0;
    // The kernel's names of pipes, sockets and the like do not start with a slash.
    if (path.starts_with(kAnonymous) && S_ISREG(out.mode) == 0)
        std::memmove(out.path, out.path + kAnonymous.size(), path.size() - kAnonymous.size() + 1);
    else if (path.starts_with(kMemory) && found.stx_nlink == 0)
        std::memmove(out.path, out.path + 1, path.size());
    return 0;
}

// The path as the process sees it, from its own root directory.
void take_root_off(int tid, file_facts& out) {
    char root[FACTS_PATH];
    const unsigned size = facts_of_link(tid, "root", root, sizeof root);
    if (size <= 2 || std::strncmp(out.path, root, size - 1) != 0 || out.path[size - 1] != '/')
        return;
    std::memmove(out.path, out.path + size - 1, std::strlen(out.path) - size + 2);
}

int process_of(int tid) {
    char path[64], buffer[4096];
    snprintf(path, sizeof path, "/proc/%d/status", tid);
    auto status = read_file("", path, buffer);
    return status ? static_cast<int>(value_of(*status, "\nTgid:", 10)) : 0;
}

// Duplicates another process's descriptor: the same open file.
UniqueFd duplicate(int tid, int fd) {
    UniqueFd process(static_cast<int>(syscall(SYS_pidfd_open, tid, 0)));
    if (!process.valid()) // `tid` is not the leader of its process
        process.reset(static_cast<int>(syscall(SYS_pidfd_open, process_of(tid), 0)));
    if (!process.valid())
        return {};
    return UniqueFd(static_cast<int>(syscall(SYS_pidfd_getfd, process.get(), fd, 0)));
}

unsigned option(const UniqueFd& socket, int name) {
    int value = 0;
    socklen_t length = sizeof value;
    getsockopt(socket.get(), SOL_SOCKET, name, &value, &length);
    return static_cast<unsigned>(value);
}

unsigned address(const UniqueFd& socket, int (*get)(int, sockaddr*, socklen_t*),
                 unsigned char (&out)[128]) {
    socklen_t length = sizeof(sockaddr_storage);
    static_assert(sizeof(sockaddr_storage) == sizeof out);
    if (get(socket.get(), reinterpret_cast<sockaddr*>(out), &length) != 0)
        return 0;
    return std::min<unsigned>(length, 110); // sizeof(sockaddr_un): no supported address is longer
}

// For a listener these two fields describe its queue (net/ipv4/tcp.c, tcp_get_info()).
void take_queue(const UniqueFd& socket, socket_facts& out) {
    tcp_info info{};
    socklen_t length = sizeof info;
    if (option(socket, SO_ACCEPTCONN) == 0 ||
        getsockopt(socket.get(), IPPROTO_TCP, TCP_INFO, &info, &length) != 0)
        return;
    out.queue_length = info.tcpi_unacked;
    out.queue_limit = info.tcpi_sacked;
}

} // namespace

int facts_of_descriptor(int tid, int fd, file_facts* out) {
    *out = {};
    char link[64], buffer[1024];
    snprintf(link, sizeof link, "/proc/%d/fd/%d", tid, fd);
    if (fd < 0 || look_at(link, *out) != 0)
        return -1;
    take_root_off(tid, *out);
    snprintf(link, sizeof link, "/proc/%d/fdinfo/%d", tid, fd);
    if (auto info = read_file("", link, buffer)) {
        out->flags = value_of(*info, "flags:", 8);
        out->mount_id = static_cast<int>(value_of(*info, "mnt_id:", 10));
    }
    return 0;
}

int facts_of_executable(int tid, file_facts* out) {
    *out = {};
    char link[64];
    snprintf(link, sizeof link, "/proc/%d/exe", tid);
    return look_at(link, *out);
}

int facts_of_socket(int tid, int fd, socket_facts* out) {
    *out = {};
    const UniqueFd socket = duplicate(tid, fd);
    struct stat found {};
    if (!socket.valid() || fstat(socket.get(), &found) != 0 || !S_ISSOCK(found.st_mode))
        return -1;
    out->ino = found.st_ino;
    out->family = option(socket, SO_DOMAIN);
    out->type = option(socket, SO_TYPE);
    out->protocol = option(socket, SO_PROTOCOL);
    out->local_length = address(socket, getsockname, out->local);
    out->remote_length = address(socket, getpeername, out->remote);
    if (out->family == AF_UNIX) {
        const auto peer = tiercel::ptrace::unix_peer(out->ino);
        out->peer_ino = peer.inode;
        out->queue_limit = peer.queue_limit;
    } else if (out->type == SOCK_STREAM && out->protocol == IPPROTO_TCP) {
        take_queue(socket, *out);
    }
    return 0;
}
