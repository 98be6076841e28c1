// SPDX-License-Identifier: Apache-2.0
// Calls beyond the scap schema: fchmodat2, the mount calls by descriptors, pidfd_send_signal,
// memfd_secret.
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <cerrno>
#include <csignal>

#include "tests/live/harness/run.h"
#include "tests/live/harness/session.h"

namespace tiercel::live {

namespace {

// Numbers of all architectures, from Linux 5.2 on (asm-generic/unistd.h).
constexpr long kOpenTree = 428, kMoveMount = 429, kFsopen = 430, kFsconfig = 431, kFsmount = 432,
               kMountSetattr = 442, kMemfdSecret = 447, kFchmodat2 = 452;

void own_mounts() {
    unshare(CLONE_NEWNS);
    mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
}

} // namespace

LIVE_TEST(SYSCALL_FCHMODAT2_X) {
    Run run([] {
        open("file", O_CREAT | O_RDWR, 0644);
        call(kFchmodat2, AT_FDCWD, "file", 04755, AT_SYMLINK_NOFOLLOW);
        call(kFchmodat2, 77, "file", 0600, 0);
    });
    // arch/x86/entry/common.c: numbers beyond the kernel's table call ni_syscall(), which the
    // compiler inlines there, so that no function is left to attach to.
    if (run.result(1) == -ENOSYS && session().reply().attach == wire::Attach::per_syscall)
        LIVE_SKIP("attached per syscall, and this kernel has no such call", SYSCALL_FCHMODAT2_X);
    run.expect(SYSCALL_FCHMODAT2_X, {{"res", run.result(0)},
                                     {"dirfd", AT_FDCWD},
                                     {"filename", "file"},
                                     {"mode", 04755},
                                     {"flags", 1024}});
    run.expect(SYSCALL_FCHMODAT2_X, {{"res", run.result(1)},
                                     {"dirfd", 77},
                                     {"filename", "file"},
                                     {"mode", 0600},
                                     {"flags", 0}});
}

LIVE_TEST(SYSCALL_OPEN_TREE_X) {
    Run run([] {
        call(kOpenTree, AT_FDCWD, "missing", O_CLOEXEC);
        call(kOpenTree, AT_FDCWD, ".", O_CLOEXEC);
    });
    run.expect(
        SYSCALL_OPEN_TREE_X,
        {{"res", run.result(0)}, {"dirfd", AT_FDCWD}, {"path", "missing"}, {"flags", O_CLOEXEC}});
    run.expect(SYSCALL_OPEN_TREE_X,
               {{"res", run.result(1)}, {"dirfd", AT_FDCWD}, {"path", "."}, {"flags", O_CLOEXEC}});
}

LIVE_TEST(SYSCALL_FSOPEN_X) {
    Run run([] {
        call(kFsopen, "tmpfs", 1);
        call(kFsopen, "tmpfs", 0x70);
    });
    run.expect(SYSCALL_FSOPEN_X, {{"res", run.result(0)}, {"type", "tmpfs"}, {"flags", 1}});
    run.expect(SYSCALL_FSOPEN_X, {{"res", run.result(1)}, {"type", "tmpfs"}, {"flags", 0x70}});
}

LIVE_TEST(SYSCALL_FSMOUNT_X) {
    Run run([] {
        own_mounts();
        note(0, syscall(kFsopen, "tmpfs", 0));
        syscall(kFsconfig, note_of(0), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0);
        call(kFsmount, note_of(0), 1, 2);
        call(kFsmount, -1, 0, 0);
    });
    run.expect(SYSCALL_FSMOUNT_X,
               {{"res", run.result(0)}, {"fd", run.note(0)}, {"flags", 1}, {"attributes", 2}});
    run.expect(SYSCALL_FSMOUNT_X,
               {{"res", run.result(1)}, {"fd", -1}, {"flags", 0}, {"attributes", 0}});
}

LIVE_TEST(SYSCALL_MOVE_MOUNT_X) {
    Run run([] {
        own_mounts();
        mkdir("to", 0755);
        const long context = syscall(kFsopen, "tmpfs", 0);
        syscall(kFsconfig, context, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0);
        note(0, syscall(kFsmount, context, 0, 0));
        call(kMoveMount, 77, "from", AT_FDCWD, "to", 4);
        call(kMoveMount, note_of(0), "", AT_FDCWD, "to", 4);
    });
    run.expect(SYSCALL_MOVE_MOUNT_X, {{"res", run.result(0)},
                                      {"from_dirfd", 77},
                                      {"from_path", "from"},
                                      {"to_dirfd", AT_FDCWD},
                                      {"to_path", "to"},
                                      {"flags", 4}});
    run.expect(SYSCALL_MOVE_MOUNT_X, {{"res", run.result(1)},
                                      {"from_dirfd", run.note(0)},
                                      {"from_path", ""},
                                      {"to_dirfd", AT_FDCWD},
                                      {"to_path", "to"},
                                      {"flags", 4}});
}

LIVE_TEST(SYSCALL_MOUNT_SETATTR_X) {
    Run run([] {
        const std::uint64_t attributes[] = {1, 2, 0,
                                            0}; // struct mount_attr: set, clear, propagation, user
        // Kernels before 5.12 refuse the call without a look at the paths, which have to be
        // resident for the probe: a copy on the stack is.
        const char place[] = "place", root[] = "/";
        call(kMountSetattr, 77, place, AT_RECURSIVE, attributes, sizeof attributes);
        const std::uint64_t nothing_to_do[4] = {};
        call(kMountSetattr, AT_FDCWD, root, 0, nothing_to_do, sizeof nothing_to_do);
    });
    run.expect(SYSCALL_MOUNT_SETATTR_X, {{"res", run.result(0)},
                                         {"dirfd", 77},
                                         {"path", "place"},
                                         {"flags", AT_RECURSIVE},
                                         {"set", 1},
                                         {"clear", 2}});
    run.expect(SYSCALL_MOUNT_SETATTR_X, {{"res", run.result(1)},
                                         {"dirfd", AT_FDCWD},
                                         {"path", "/"},
                                         {"flags", 0},
                                         {"set", 0},
                                         {"clear", 0}});
}

LIVE_TEST(SYSCALL_PIDFD_SEND_SIGNAL_X) {
    Run run([] {
        call(SYS_pidfd_send_signal, 77, SIGUSR1, nullptr, 0);
        note(0, syscall(SYS_pidfd_open, getpid(), 0));
        call(SYS_pidfd_send_signal, note_of(0), 0, nullptr, 0);
    });
    run.expect(SYSCALL_PIDFD_SEND_SIGNAL_X,
               {{"res", run.result(0)}, {"fd", 77}, {"sig", SIGUSR1}, {"flags", 0}});
    run.expect(SYSCALL_PIDFD_SEND_SIGNAL_X,
               {{"res", run.result(1)}, {"fd", run.note(0)}, {"sig", 0}, {"flags", 0}});
}

LIVE_TEST(SYSCALL_MEMFD_SECRET_X) {
    Run run([] {
        call(kMemfdSecret, 0x7777);
        call(kMemfdSecret, 0);
    });
    run.expect(SYSCALL_MEMFD_SECRET_X, {{"res", run.result(0)}, {"flags", 0x7777}});
    run.expect(SYSCALL_MEMFD_SECRET_X, {{"res", run.result(1)}, {"flags", 0}});
}

} // namespace tiercel::live
