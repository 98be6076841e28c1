// SPDX-License-Identifier: Apache-2.0
//
// The kernel's path of an opened file, by whatever name a process opens it, and the files of
// descriptors that come from another process.
#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <cstring>
#include <string>

#include "shared/event/params.h"
#include "tests/live/harness/run.h"
#include "tests/live/harness/session.h"
#include "tests/live/harness/source.h"

namespace tiercel::live {

namespace {

namespace openat_x = event::param::SYSCALL_OPENAT_2_X;

// The two paths of the opens of a run that succeeded, in their order.
struct Paths {
    std::string real, origin;
};
std::vector<Paths> opened(const Run& run) {
    std::vector<Paths> paths;
    for (const EventView& view : run.of(run.tid(), SYSCALL_OPENAT_2_X))
        if (view.number<std::int64_t>(openat_x::fd).value_or(-1) >= 0)
            paths.push_back({std::string(view.text(openat_x::realpath)),
                             std::string(view.text(openat_x::originpath))});
    return paths;
}

void make_file(const char* path) {
    close(open(path, O_CREAT | O_WRONLY, 0600));
}

std::string from_root(const char* name) {
    char here[1024];
    return std::string("/proc/self/root") + getcwd(here, sizeof here) + '/' + name;
}

} // namespace

LIVE_TEST(SYSCALL_OPENAT_2_X, "by other names of the file") {
    Run run([] {
        mkdir("real", 0700);
        make_file("real/file");
        if (symlink("real", "link") + symlink("real/.", "dot") + symlink("real/file", "last") != 0)
            _exit(1);
        for (const char* name : {"link/file", "dot/file", "link/../real/file", "last"})
            call(SYS_openat, AT_FDCWD, name, O_RDONLY);
        call(SYS_openat, AT_FDCWD, from_root("link/file").c_str(), O_RDONLY);
        if (chdir("link") != 0)
            _exit(2);
        call(SYS_openat, AT_FDCWD, "file", O_RDONLY);
        call(SYS_openat, open("../link", O_PATH | O_DIRECTORY), "file", O_RDONLY);
        call(SYS_openat, AT_FDCWD, "missing", O_RDONLY);
    });
    std::size_t seen = 0;
    for (const Paths& paths : opened(run))
        if (paths.real.ends_with("/file")) {
            CHECK(paths.real == run.path("real/file"));
            ++seen;
        }
    CHECK(seen == 8); // that which made the file, too
}

LIVE_TEST(SYSCALL_OPENAT_2_X, "below bind mounts") {
    if (by_ptrace())
        LIVE_SKIP("/proc tells no path without bind mounts");
    Run run([] {
        mkdir("real", 0700);
        mkdir("real/deep", 0700);
        make_file("real/deep/file");
        mkdir("bound", 0700);
        mkdir("whole", 0700);
        if (unshare(CLONE_NEWNS) != 0 ||
            mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
            mount("real", "bound", nullptr, MS_BIND, nullptr) != 0)
            _exit(0);
        call(SYS_openat, AT_FDCWD, "bound/deep/file", O_RDONLY);
        note(0, 1);
    });
    if (run.note(0) == 0)
        LIVE_SKIP("mounting is not permitted here");
    const auto paths = opened(run);
    REQUIRE(!paths.empty());
    CHECK(paths.back().real == run.path("bound/deep/file"));
    CHECK(paths.back().origin.ends_with("/real/deep/file"));
    CHECK(run.path("real/deep/file").ends_with(paths.back().origin));
}

LIVE_TEST(SYSCALL_OPENAT_2_X, "no path for a pipe, and none of a file too deep") {
    Run run([] {
        int ends[2];
        if (pipe(ends) != 0)
            _exit(1);
        const std::string name = "/proc/self/fd/" + std::to_string(ends[0]);
        call(SYS_openat, AT_FDCWD, name.c_str(), O_RDONLY | O_NONBLOCK);
        for (int depth = 0; depth < 80; ++depth)
            if (mkdir("d", 0700) != 0 || chdir("d") != 0)
                _exit(2);
        call(SYS_openat, AT_FDCWD, "file", O_CREAT | O_RDWR, 0600);
    });
    const auto paths = opened(run);
    REQUIRE(paths.size() >= 2);
    if (by_ptrace())
        return; // /proc names the pipe, and knows a path of any depth
    CHECK(paths[paths.size() - 2].real.empty());
    CHECK(paths.back().real.empty());
}

LIVE_TEST(SOCKET_BIND_X, "the kernel's path") {
    if (by_ptrace())
        LIVE_SKIP("/proc tells no path of a socket but the one it was bound to");
    Run run([] {
        mkdir("real", 0700);
        if (symlink("real", "link") != 0)
            _exit(1);
        const sockaddr_un address{AF_UNIX, "link/socket"};
        const int server = socket(AF_UNIX, SOCK_STREAM, 0),
                  client = socket(AF_UNIX, SOCK_STREAM, 0);
        call(SYS_bind, server, &address, sizeof address);
        listen(server, 1);
        call(SYS_connect, client, &address, sizeof address);
    });
    const auto bound = run.of(run.tid(), SOCKET_BIND_X);
    const auto connected = run.of(run.tid(), SOCKET_CONNECT_X);
    REQUIRE(bound.size() == 1);
    REQUIRE(connected.size() == 1);
    CHECK(bound[0].text(event::param::SOCKET_BIND_X::realpath) == run.path("real/socket"));
    CHECK(connected[0].text(event::param::SOCKET_CONNECT_X::realpath) == run.path("real/socket"));
}

namespace {

// Sends and receives a descriptor within one process.
int pass(int fd) {
    int ends[2];
    char byte = 1;
    iovec data{&byte, 1};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof fd)] = {};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof fd);
    std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0 || sendmsg(ends[0], &message, 0) != 1)
        _exit(1);
    call(SYS_recvmsg, ends[1], &message, 0);
    std::memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
    return fd;
}

} // namespace

LIVE_TEST(SOCKET_RECVMSG_X, "with a descriptor") {
    Run run([] {
        make_file("file");
        note(0, pass(open("file", O_RDONLY)));
    });
    namespace regular = event::param::ITER_TASK_FILE_REGULAR_E;
    const auto records = run.of(run.tid(), ITER_TASK_FILE_REGULAR_E);
    REQUIRE(records.size() == 1);
    CHECK(records[0].number<std::int32_t>(regular::fd) == run.note(0));
    CHECK(records[0].text(regular::path) == run.path("file"));
}

LIVE_TEST(SYSCALL_PIDFD_GETFD_X, "of a file") {
    Run run([] {
        make_file("file");
        const int file = open("file", O_RDONLY);
        const long process = syscall(SYS_pidfd_open, getpid(), 0);
        note(0, call(SYS_pidfd_getfd, process, file, 0));
    });
    if (run.note(0) < 0)
        LIVE_SKIP("the kernel has no pidfd_getfd, or does not permit it");
    namespace regular = event::param::ITER_TASK_FILE_REGULAR_E;
    const auto records = run.of(run.tid(), ITER_TASK_FILE_REGULAR_E);
    REQUIRE(records.size() == 1);
    CHECK(records[0].number<std::int32_t>(regular::fd) == run.note(0));
    CHECK(records[0].text(regular::path) == run.path("file"));
}

} // namespace tiercel::live
