// SPDX-License-Identifier: Apache-2.0
// Descriptors: close, dup, pipe, fcntl, ioctl, and the files that are no files: eventfd, timerfd,
// memfd, ...
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/memfd.h>
#include <linux/userfaultfd.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/timerfd.h>

#include <csignal>

#include "tests/live/harness/numbers.h"
#include "tests/live/harness/run.h"

namespace tiercel::live {

constexpr long kSNonblock = 64, kSCloexec = 4096; // the schema's open flags

namespace {

// Leaves no number for another descriptor; of a small table, for each call is told to the driver.
void fill_table() {
    const rlimit small{32, 32};
    setrlimit(RLIMIT_NOFILE, &small);
    while (dup(0) >= 0)
        ;
}

long inode_of(long fd) {
    struct stat s {};
    return fstat(static_cast<int>(fd), &s) < 0 ? -1 : static_cast<long>(s.st_ino);
}

} // namespace

LIVE_TEST(SYSCALL_CLOSE_X) {
    Run run([] {
        note(0, open("/", O_RDONLY));
        call(SYS_close, note_of(0));
        call(SYS_close, -7);
    });
    run.expect(SYSCALL_CLOSE_X, {{"res", 0}, {"fd", run.note(0)}});
    run.expect(SYSCALL_CLOSE_X, {{"res", -EBADF}, {"fd", -7}});
}

LIVE_TEST(SYSCALL_CLOSE_RANGE_X) {
    Run run([] {
        call(SYS_close_range, 100, ~0U, CLOSE_RANGE_CLOEXEC);
        call(SYS_close_range, 5, 4, 0);
    });
    if (run.result(0) == -ENOSYS)
        LIVE_SKIP("the kernel has no close_range", SYSCALL_CLOSE_RANGE_X);
    const bool has_cloexec = run.result(0) == 0; // from 5.11
    run.expect(SYSCALL_CLOSE_RANGE_X,
               {{"res", has_cloexec ? 0 : -EINVAL}, {"first", 100}, {"last", ~0U}, {"flags", 4}});
    run.expect(SYSCALL_CLOSE_RANGE_X, {{"res", -EINVAL}, {"first", 5}, {"last", 4}, {"flags", 0}});
}

LIVE_TEST(SYSCALL_DUP_1_X) {
    Run run([] {
        call(SYS_dup, 1);
        call(SYS_dup, -1);
    });
    run.expect(SYSCALL_DUP_1_X, {{"res", run.result(0)}, {"oldfd", 1}});
    run.expect(SYSCALL_DUP_1_X, {{"res", -EBADF}, {"oldfd", -1}});
}

LIVE_TEST(SYSCALL_DUP2_X) {
    Run run([] {
        call(SYS_dup2, 1, 70);
        call(SYS_dup2, -1, 71);
    });
    run.expect(SYSCALL_DUP2_X, {{"res", 70}, {"oldfd", 1}, {"newfd", 70}});
    run.expect(SYSCALL_DUP2_X, {{"res", -EBADF}, {"oldfd", -1}, {"newfd", 71}});
}

LIVE_TEST(SYSCALL_DUP3_X) {
    Run run([] {
        call(SYS_dup3, 1, 72, O_CLOEXEC);
        call(SYS_dup3, 1, 1, 0);
    });
    run.expect(SYSCALL_DUP3_X, {{"res", 72}, {"oldfd", 1}, {"newfd", 72}, {"flags", kSCloexec}});
    run.expect(SYSCALL_DUP3_X, {{"res", -EINVAL}, {"oldfd", 1}, {"newfd", 1}, {"flags", 0}});
}

LIVE_TEST(SYSCALL_PIPE_X) {
    Run run([] {
        int ends[2];
        call(SYS_pipe, ends);
        note(0, ends[0]);
        note(1, ends[1]);
        note(2, inode_of(ends[0]));
        call(SYS_pipe, nullptr);
    });
    run.expect(SYSCALL_PIPE_X,
               {{"res", 0}, {"fd1", run.note(0)}, {"fd2", run.note(1)}, {"ino", run.note(2)}});
    run.expect(SYSCALL_PIPE_X, {{"res", -EFAULT}, {"fd1", -1}, {"fd2", -1}, {"ino", 0}});
}

LIVE_TEST(SYSCALL_PIPE2_X) {
    Run run([] {
        int ends[2];
        call(SYS_pipe2, ends, O_CLOEXEC | O_NONBLOCK);
        note(0, ends[0]);
        note(1, ends[1]);
        note(2, inode_of(ends[0]));
        call(SYS_pipe2, nullptr, O_CLOEXEC);
    });
    run.expect(SYSCALL_PIPE2_X, {{"res", 0},
                                 {"fd1", run.note(0)},
                                 {"fd2", run.note(1)},
                                 {"ino", run.note(2)},
                                 {"flags", kSCloexec | kSNonblock}});
    run.expect(SYSCALL_PIPE2_X,
               {{"res", -EFAULT}, {"fd1", -1}, {"fd2", -1}, {"ino", 0}, {"flags", kSCloexec}});
}

LIVE_TEST(SYSCALL_FCNTL_X) {
    Run run([] {
        call(SYS_fcntl, 1, F_DUPFD_CLOEXEC, 80);
        call(SYS_fcntl, 1, F_SETFD, FD_CLOEXEC);
        call(SYS_fcntl, -1, F_DUPFD, 5);
        call(SYS_fcntl, 1, 12345, 6);
    });
    run.expect(SYSCALL_FCNTL_X, {{"res", run.result(0)}, {"fd", 1}, {"cmd", 26}, {"arg", 80}});
    run.expect(SYSCALL_FCNTL_X, {{"res", 0}, {"fd", 1}, {"cmd", 3}, {"arg", FD_CLOEXEC}});
    run.expect(SYSCALL_FCNTL_X, {{"res", -EBADF}, {"fd", -1}, {"cmd", 1}, {"arg", 5}});
    run.expect(SYSCALL_FCNTL_X, {{"res", -EINVAL}, {"fd", 1}, {"cmd", 0}, {"arg", 6}});
}

LIVE_TEST(SYSCALL_IOCTL_3_X) {
    static int waiting;
    Run run([] {
        int ends[2];
        if (pipe(ends) < 0)
            _exit(98);
        note(0, ends[0]);
        call(SYS_ioctl, ends[0], FIONREAD, &waiting);
        call(SYS_ioctl, -1, 0xdeadbeef, 0x1234567890);
    });
    run.expect(SYSCALL_IOCTL_3_X, {{"res", 0},
                                   {"fd", run.note(0)},
                                   {"request", FIONREAD},
                                   {"argument", as_argument(&waiting)}});
    run.expect(SYSCALL_IOCTL_3_X,
               {{"res", -EBADF}, {"fd", -1}, {"request", 0xdeadbeef}, {"argument", 0x1234567890}});
}

LIVE_TEST(SYSCALL_EVENTFD_X) {
    Run run([] {
        call(SYS_eventfd, 7);
        fill_table();
        call(SYS_eventfd, 8);
    });
    run.expect(SYSCALL_EVENTFD_X, {{"res", run.result(0)}, {"initval", 7}, {"flags", 0}});
    run.expect(SYSCALL_EVENTFD_X, {{"res", -EMFILE}, {"initval", 8}, {"flags", 0}});
}

LIVE_TEST(SYSCALL_EVENTFD2_X) {
    Run run([] {
        call(SYS_eventfd2, 9, EFD_CLOEXEC | EFD_NONBLOCK);
        call(SYS_eventfd2, 10, -1);
    });
    run.expect(SYSCALL_EVENTFD2_X,
               {{"res", run.result(0)}, {"flags", kSCloexec | kSNonblock}, {"initval", 9}});
    run.expect(SYSCALL_EVENTFD2_X, {{"res", -EINVAL}, {"flags", kNonzero}, {"initval", 10}});
}

LIVE_TEST(SYSCALL_SIGNALFD_X) {
    Run run([] {
        const unsigned long mask = 1UL << (SIGUSR1 - 1);
        call(SYS_signalfd, -1, &mask, sizeof mask);
        call(SYS_signalfd, 77, &mask, sizeof mask);
    });
    run.expect(SYSCALL_SIGNALFD_X, {{"res", run.result(0)}, {"fd", -1}, {"mask", 0}, {"flags", 0}});
    run.expect(SYSCALL_SIGNALFD_X, {{"res", -EBADF}, {"fd", 77}, {"mask", 0}, {"flags", 0}});
}

LIVE_TEST(SYSCALL_SIGNALFD4_X) {
    Run run([] {
        const unsigned long mask = 1UL << (SIGUSR1 - 1);
        call(SYS_signalfd4, -1, &mask, sizeof mask, SFD_CLOEXEC | SFD_NONBLOCK);
        call(SYS_signalfd4, 77, &mask, sizeof mask, SFD_NONBLOCK);
    });
    run.expect(
        SYSCALL_SIGNALFD4_X,
        {{"res", run.result(0)}, {"flags", kSCloexec | kSNonblock}, {"fd", -1}, {"mask", 0}});
    run.expect(SYSCALL_SIGNALFD4_X,
               {{"res", -EBADF}, {"flags", kSNonblock}, {"fd", 77}, {"mask", 0}});
}

LIVE_TEST(SYSCALL_TIMERFD_CREATE_X) {
    Run run([] {
        call(SYS_timerfd_create, CLOCK_MONOTONIC, TFD_CLOEXEC);
        call(SYS_timerfd_create, -1, 0);
    });
    run.expect(SYSCALL_TIMERFD_CREATE_X, {{"res", run.result(0)}, {"clockid", 0}, {"flags", 0}});
    run.expect(SYSCALL_TIMERFD_CREATE_X, {{"res", -EINVAL}, {"clockid", 0}, {"flags", 0}});
}

LIVE_TEST(SYSCALL_INOTIFY_INIT_X) {
    Run run([] {
        call(SYS_inotify_init);
        fill_table();
        call(SYS_inotify_init);
    });
    run.expect(SYSCALL_INOTIFY_INIT_X, {{"res", run.result(0)}, {"flags", 0}});
    run.expect(SYSCALL_INOTIFY_INIT_X, {{"res", -EMFILE}, {"flags", 0}});
}

LIVE_TEST(SYSCALL_INOTIFY_INIT1_X) {
    Run run([] {
        call(SYS_inotify_init1, IN_CLOEXEC | IN_NONBLOCK);
        call(SYS_inotify_init1, 0x10000000);
    });
    run.expect(SYSCALL_INOTIFY_INIT1_X,
               {{"res", run.result(0)}, {"flags", kSCloexec | kSNonblock}});
    run.expect(SYSCALL_INOTIFY_INIT1_X, {{"res", -EINVAL}, {"flags", 0}});
}

LIVE_TEST(SYSCALL_EPOLL_CREATE_X) {
    Run run([] {
        call(SYS_epoll_create, 3);
        call(SYS_epoll_create, -1);
    });
    run.expect(SYSCALL_EPOLL_CREATE_X, {{"res", run.result(0)}, {"size", 3}});
    run.expect(SYSCALL_EPOLL_CREATE_X, {{"res", -EINVAL}, {"size", -1}});
}

LIVE_TEST(SYSCALL_EPOLL_CREATE1_X) {
    Run run([] {
        call(SYS_epoll_create1, EPOLL_CLOEXEC);
        call(SYS_epoll_create1, 1);
    });
    run.expect(SYSCALL_EPOLL_CREATE1_X, {{"res", run.result(0)}, {"flags", 1}});
    run.expect(SYSCALL_EPOLL_CREATE1_X, {{"res", -EINVAL}, {"flags", 0}});
}

LIVE_TEST(SYSCALL_MEMFD_CREATE_X) {
    Run run([] {
        call(SYS_memfd_create, "anonymous", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        call(SYS_memfd_create, nullptr, 0);
    });
    run.expect(SYSCALL_MEMFD_CREATE_X,
               {{"fd", run.result(0)}, {"name", "anonymous"}, {"flags", 3}});
    run.expect(SYSCALL_MEMFD_CREATE_X, {{"fd", -EFAULT}, {"name", kNothing}, {"flags", 0}});
}

LIVE_TEST(SYSCALL_USERFAULTFD_X) {
    Run run([] {
        call(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
        call(SYS_userfaultfd, 0x10000000);
    });
    if (run.result(0) == -ENOSYS)
        LIVE_SKIP("the kernel has no userfaultfd", SYSCALL_USERFAULTFD_X);
    run.expect(SYSCALL_USERFAULTFD_X, {{"res", run.result(0)}, {"flags", kSCloexec | kSNonblock}});
    run.expect(SYSCALL_USERFAULTFD_X, {{"res", -EINVAL}, {"flags", 0}});
}

LIVE_TEST(SYSCALL_PIDFD_OPEN_X) {
    Run run([] {
        call(SYS_pidfd_open, getpid(), O_NONBLOCK);
        call(SYS_pidfd_open, -1, 0);
    });
    if (run.result(0) == -ENOSYS)
        LIVE_SKIP("the kernel has no pidfd_open", SYSCALL_PIDFD_OPEN_X);
    run.expect(SYSCALL_PIDFD_OPEN_X, {{"fd", run.result(0)}, {"pid", run.tid()}, {"flags", 1}});
    run.expect(SYSCALL_PIDFD_OPEN_X, {{"fd", -EINVAL}, {"pid", -1}, {"flags", 0}});
}

LIVE_TEST(SYSCALL_PIDFD_GETFD_X) {
    Run run([] {
        note(0, syscall(SYS_pidfd_open, getpid(), 0));
        call(SYS_pidfd_getfd, note_of(0), 1, 0);
        call(SYS_pidfd_getfd, -1, 5, 9);
    });
    if (run.result(0) == -ENOSYS)
        LIVE_SKIP("the kernel has no pidfd_getfd", SYSCALL_PIDFD_GETFD_X);
    run.expect(SYSCALL_PIDFD_GETFD_X,
               {{"fd", run.result(0)}, {"pid_fd", run.note(0)}, {"target_fd", 1}, {"flags", 0}});
    run.expect(SYSCALL_PIDFD_GETFD_X,
               {{"fd", -EINVAL}, {"pid_fd", -1}, {"target_fd", 5}, {"flags", 9}});
}

} // namespace tiercel::live
