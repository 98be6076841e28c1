// SPDX-License-Identifier: Apache-2.0
// The directory tree: rename, link, symlink, unlink, mkdir, rmdir, mknod, mount.
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "tests/live/harness/numbers.h"
#include "tests/live/harness/run.h"

namespace tiercel::live {

namespace {

void make_file(const char* name) {
    close(open(name, O_CREAT | O_WRONLY, 0644));
}

} // namespace

LIVE_TEST(SYSCALL_RENAME_X) {
    Run run([] {
        make_file("old");
        call(SYS_rename, "old", "new");
        call(SYS_rename, "missing", "other");
    });
    run.expect(SYSCALL_RENAME_X, {{"res", 0}, {"oldpath", "old"}, {"newpath", "new"}});
    run.expect(SYSCALL_RENAME_X, {{"res", -ENOENT}, {"oldpath", "missing"}, {"newpath", "other"}});
}

LIVE_TEST(SYSCALL_RENAMEAT_X) {
    Run run([] {
        make_file("old");
        call(SYS_renameat, AT_FDCWD, "old", AT_FDCWD, "new");
        call(SYS_renameat, -1, "missing", 77, "other");
    });
    run.expect(SYSCALL_RENAMEAT_X, {{"res", 0},
                                    {"olddirfd", AT_FDCWD},
                                    {"oldpath", "old"},
                                    {"newdirfd", AT_FDCWD},
                                    {"newpath", "new"}});
    run.expect(SYSCALL_RENAMEAT_X, {{"res", -EBADF},
                                    {"olddirfd", -1},
                                    {"oldpath", "missing"},
                                    {"newdirfd", 77},
                                    {"newpath", "other"}});
}

LIVE_TEST(SYSCALL_RENAMEAT2_X) {
    Run run([] {
        make_file("old");
        make_file("new");
        call(SYS_renameat2, AT_FDCWD, "old", AT_FDCWD, "new", 2 /* RENAME_EXCHANGE */);
        call(SYS_renameat2, AT_FDCWD, "old", AT_FDCWD, "new", 1 /* RENAME_NOREPLACE */);
    });
    run.expect(SYSCALL_RENAMEAT2_X, {{"res", 0},
                                     {"olddirfd", AT_FDCWD},
                                     {"oldpath", "old"},
                                     {"newdirfd", AT_FDCWD},
                                     {"newpath", "new"},
                                     {"flags", 2}});
    run.expect(SYSCALL_RENAMEAT2_X, {{"res", -EEXIST},
                                     {"olddirfd", AT_FDCWD},
                                     {"oldpath", "old"},
                                     {"newdirfd", AT_FDCWD},
                                     {"newpath", "new"},
                                     {"flags", 1}});
}

LIVE_TEST(SYSCALL_LINK_2_X) {
    Run run([] {
        make_file("old");
        call(SYS_link, "old", "new");
        const char other[] = "other"; // the call fails before the kernel fetches it: no literal,
        call(SYS_link, "missing", other); // which might not be in memory
    });
    run.expect(SYSCALL_LINK_2_X, {{"res", 0}, {"oldpath", "old"}, {"newpath", "new"}});
    run.expect(SYSCALL_LINK_2_X, {{"res", -ENOENT}, {"oldpath", "missing"}, {"newpath", "other"}});
}

LIVE_TEST(SYSCALL_LINKAT_2_X) {
    Run run([] {
        make_file("old");
        call(SYS_linkat, AT_FDCWD, "old", AT_FDCWD, "new", AT_SYMLINK_FOLLOW);
        const char other[] = "other"; // see above
        call(SYS_linkat, -1, "missing", 77, other, 0);
    });
    run.expect(SYSCALL_LINKAT_2_X, {{"res", 0},
                                    {"olddir", AT_FDCWD},
                                    {"oldpath", "old"},
                                    {"newdir", AT_FDCWD},
                                    {"newpath", "new"},
                                    {"flags", 0x400}});
    run.expect(SYSCALL_LINKAT_2_X, {{"res", -EBADF},
                                    {"olddir", -1},
                                    {"oldpath", "missing"},
                                    {"newdir", 77},
                                    {"newpath", "other"},
                                    {"flags", 0}});
}

LIVE_TEST(SYSCALL_SYMLINK_X) {
    Run run([] {
        call(SYS_symlink, "target", "link");
        call(SYS_symlink, "target", "link");
    });
    run.expect(SYSCALL_SYMLINK_X, {{"res", 0}, {"target", "target"}, {"linkpath", "link"}});
    run.expect(SYSCALL_SYMLINK_X, {{"res", -EEXIST}, {"target", "target"}, {"linkpath", "link"}});
}

LIVE_TEST(SYSCALL_SYMLINKAT_X) {
    Run run([] {
        call(SYS_symlinkat, "target", AT_FDCWD, "link");
        call(SYS_symlinkat, "target", 77, "link");
    });
    run.expect(SYSCALL_SYMLINKAT_X,
               {{"res", 0}, {"target", "target"}, {"linkdirfd", AT_FDCWD}, {"linkpath", "link"}});
    run.expect(SYSCALL_SYMLINKAT_X,
               {{"res", -EBADF}, {"target", "target"}, {"linkdirfd", 77}, {"linkpath", "link"}});
}

LIVE_TEST(SYSCALL_UNLINK_2_X) {
    Run run([] {
        make_file("file");
        call(SYS_unlink, "file");
        call(SYS_unlink, "file");
    });
    run.expect(SYSCALL_UNLINK_2_X, {{"res", 0}, {"path", "file"}});
    run.expect(SYSCALL_UNLINK_2_X, {{"res", -ENOENT}, {"path", "file"}});
}

LIVE_TEST(SYSCALL_UNLINKAT_2_X) {
    Run run([] {
        mkdir("directory", 0755);
        call(SYS_unlinkat, AT_FDCWD, "directory", AT_REMOVEDIR);
        call(SYS_unlinkat, 77, "file", 0);
    });
    run.expect(SYSCALL_UNLINKAT_2_X,
               {{"res", 0}, {"dirfd", AT_FDCWD}, {"name", "directory"}, {"flags", 0x200}});
    run.expect(SYSCALL_UNLINKAT_2_X,
               {{"res", -EBADF}, {"dirfd", 77}, {"name", "file"}, {"flags", 0}});
}

LIVE_TEST(SYSCALL_MKDIR_2_X) {
    Run run([] {
        call(SYS_mkdir, "directory", 0750);
        call(SYS_mkdir, "directory", 0700);
    });
    run.expect(SYSCALL_MKDIR_2_X, {{"res", 0}, {"path", "directory"}, {"mode", 0750}});
    run.expect(SYSCALL_MKDIR_2_X, {{"res", -EEXIST}, {"path", "directory"}, {"mode", 0700}});
}

LIVE_TEST(SYSCALL_MKDIRAT_X) {
    Run run([] {
        call(SYS_mkdirat, AT_FDCWD, "directory", 0711);
        call(SYS_mkdirat, 77, "directory", 0700);
    });
    run.expect(SYSCALL_MKDIRAT_X,
               {{"res", 0}, {"dirfd", AT_FDCWD}, {"path", "directory"}, {"mode", 0711}});
    run.expect(SYSCALL_MKDIRAT_X,
               {{"res", -EBADF}, {"dirfd", 77}, {"path", "directory"}, {"mode", 0700}});
}

LIVE_TEST(SYSCALL_RMDIR_2_X) {
    Run run([] {
        mkdir("directory", 0755);
        call(SYS_rmdir, "directory");
        call(SYS_rmdir, "directory");
    });
    run.expect(SYSCALL_RMDIR_2_X, {{"res", 0}, {"path", "directory"}});
    run.expect(SYSCALL_RMDIR_2_X, {{"res", -ENOENT}, {"path", "directory"}});
}

LIVE_TEST(SYSCALL_MKNOD_X) {
    Run run([] {
        call(SYS_mknod, "device", S_IFCHR | 0600, 0x103);
        call(SYS_mknod, "missing/fifo", S_IFIFO | 0644, 0);
    });
    if (run.result(0) == -EPERM)
        run.expect(SYSCALL_MKNOD_X,
                   {{"res", -EPERM}, {"path", "device"}, {"mode", S_IFCHR | 0600}, {"dev", 0x103}});
    else
        run.expect(SYSCALL_MKNOD_X,
                   {{"res", 0}, {"path", "device"}, {"mode", S_IFCHR | 0600}, {"dev", 0x103}});
    run.expect(SYSCALL_MKNOD_X,
               {{"res", -ENOENT}, {"path", "missing/fifo"}, {"mode", S_IFIFO | 0644}, {"dev", 0}});
}

LIVE_TEST(SYSCALL_MKNODAT_X) {
    Run run([] {
        call(SYS_mknodat, AT_FDCWD, "fifo", S_IFIFO | 0620, 0);
        call(SYS_mknodat, 77, "device", S_IFCHR | 0600, 0x105);
    });
    run.expect(
        SYSCALL_MKNODAT_X,
        {{"res", 0}, {"dirfd", AT_FDCWD}, {"path", "fifo"}, {"mode", S_IFIFO | 0620}, {"dev", 0}});
    run.expect(SYSCALL_MKNODAT_X, {{"res", -EBADF},
                                   {"dirfd", 77},
                                   {"path", "device"},
                                   {"mode", S_IFCHR | 0600},
                                   {"dev", 0x105}});
}

namespace {

// A mount namespace of its own, so that nothing outside the child changes.
void leave_mounts() {
    note(0, unshare(CLONE_NEWNS) == 0 &&
                mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0);
    mkdir("point", 0755);
}

} // namespace

LIVE_TEST(SYSCALL_MOUNT_X) {
    Run run([] {
        leave_mounts();
        call(SYS_mount, "source", "point", "tmpfs", 0xc0ed0000UL | MS_NOSUID | MS_NODEV, nullptr);
        call(SYS_mount, "source", "missing", "tmpfs", MS_NOEXEC, nullptr);
    });
    if (!run.note(0))
        LIVE_SKIP("no mount namespace can be made", SYSCALL_MOUNT_X);
    run.expect(SYSCALL_MOUNT_X, {{"res", 0},
                                 {"dev", "none"},
                                 {"dir", "/"},
                                 {"type", kNothing},
                                 {"flags", MS_REC | MS_PRIVATE}});
    run.expect(SYSCALL_MOUNT_X, {{"res", 0},
                                 {"dev", "source"},
                                 {"dir", "point"},
                                 {"type", "tmpfs"},
                                 {"flags", MS_NOSUID | MS_NODEV}});
    run.expect(SYSCALL_MOUNT_X, {{"res", -ENOENT},
                                 {"dev", "source"},
                                 {"dir", "missing"},
                                 {"type", "tmpfs"},
                                 {"flags", MS_NOEXEC}});
}

LIVE_TEST(SYSCALL_UMOUNT2_X) {
    Run run([] {
        leave_mounts();
        mount("source", "point", "tmpfs", 0, nullptr);
        call(SYS_umount2, "point", MNT_DETACH);
        call(SYS_umount2, "missing", MNT_FORCE | UMOUNT_NOFOLLOW);
    });
    if (!run.note(0))
        LIVE_SKIP("no mount namespace can be made", SYSCALL_UMOUNT2_X);
    run.expect(SYSCALL_UMOUNT2_X, {{"res", 0}, {"name", "point"}, {"flags", 2}});
    run.expect(SYSCALL_UMOUNT2_X, {{"res", -ENOENT}, {"name", "missing"}, {"flags", 1 | 8}});
}

} // namespace tiercel::live
