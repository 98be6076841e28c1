// SPDX-License-Identifier: Apache-2.0
// What is known of files: chmod, chown, access, the stat family; and locks, directory entries,
// seeks.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "tests/live/harness/numbers.h"
#include "tests/live/harness/run.h"

namespace tiercel::live {

namespace {

int make_file() {
    return open("file", O_CREAT | O_RDWR, 0644);
}

} // namespace

LIVE_TEST(SYSCALL_CHMOD_X) {
    Run run([] {
        make_file();
        call(SYS_chmod, "file", 04751);
        call(SYS_chmod, "missing", 0600);
    });
    run.expect(SYSCALL_CHMOD_X, {{"res", 0}, {"filename", "file"}, {"mode", 04751}});
    run.expect(SYSCALL_CHMOD_X, {{"res", -ENOENT}, {"filename", "missing"}, {"mode", 0600}});
}

LIVE_TEST(SYSCALL_FCHMOD_X) {
    Run run([] {
        note(0, make_file());
        call(SYS_fchmod, note_of(0), 0640);
        call(SYS_fchmod, -1, 02755);
    });
    run.expect(SYSCALL_FCHMOD_X, {{"res", 0}, {"fd", run.note(0)}, {"mode", 0640}});
    run.expect(SYSCALL_FCHMOD_X, {{"res", -EBADF}, {"fd", -1}, {"mode", 02755}});
}

LIVE_TEST(SYSCALL_FCHMODAT_X) {
    Run run([] {
        make_file();
        call(SYS_fchmodat, AT_FDCWD, "file", 01777);
        call(SYS_fchmodat, 77, "file", 0600);
    });
    run.expect(SYSCALL_FCHMODAT_X,
               {{"res", 0}, {"dirfd", AT_FDCWD}, {"filename", "file"}, {"mode", 01777}});
    run.expect(SYSCALL_FCHMODAT_X,
               {{"res", -EBADF}, {"dirfd", 77}, {"filename", "file"}, {"mode", 0600}});
}

LIVE_TEST(SYSCALL_CHOWN_X) {
    Run run([] {
        make_file();
        call(SYS_chown, "file", 1000, 1001);
        call(SYS_chown, "missing", -1, 7);
    });
    run.expect(SYSCALL_CHOWN_X, {{"res", 0}, {"path", "file"}, {"uid", 1000}, {"gid", 1001}});
    run.expect(SYSCALL_CHOWN_X, {{"res", -ENOENT}, {"path", "missing"}, {"uid", -1}, {"gid", 7}});
}

LIVE_TEST(SYSCALL_LCHOWN_X) {
    Run run([] {
        make_file();
        call(SYS_lchown, "file", 1002, 1003);
        call(SYS_lchown, "missing", 5, -1);
    });
    run.expect(SYSCALL_LCHOWN_X, {{"res", 0}, {"path", "file"}, {"uid", 1002}, {"gid", 1003}});
    run.expect(SYSCALL_LCHOWN_X, {{"res", -ENOENT}, {"path", "missing"}, {"uid", 5}, {"gid", -1}});
}

LIVE_TEST(SYSCALL_FCHOWN_X) {
    Run run([] {
        note(0, make_file());
        call(SYS_fchown, note_of(0), 1004, 1005);
        call(SYS_fchown, -1, 1, 2);
    });
    run.expect(SYSCALL_FCHOWN_X, {{"res", 0}, {"fd", run.note(0)}, {"uid", 1004}, {"gid", 1005}});
    run.expect(SYSCALL_FCHOWN_X, {{"res", -EBADF}, {"fd", -1}, {"uid", 1}, {"gid", 2}});
}

LIVE_TEST(SYSCALL_FCHOWNAT_X) {
    Run run([] {
        note(0, make_file());
        call(SYS_fchownat, note_of(0), "", 1006, 1007, AT_EMPTY_PATH);
        call(SYS_fchownat, 77, "file", 3, 4, AT_SYMLINK_NOFOLLOW);
    });
    run.expect(SYSCALL_FCHOWNAT_X, {{"res", 0},
                                    {"dirfd", run.note(0)},
                                    {"pathname", ""},
                                    {"uid", 1006},
                                    {"gid", 1007},
                                    {"flags", 0x1000}});
    run.expect(SYSCALL_FCHOWNAT_X, {{"res", -EBADF},
                                    {"dirfd", 77},
                                    {"pathname", "file"},
                                    {"uid", 3},
                                    {"gid", 4},
                                    {"flags", 1024}});
}

LIVE_TEST(SYSCALL_ACCESS_X) {
    Run run([] {
        make_file();
        call(SYS_access, "file", R_OK | W_OK);
        call(SYS_access, "missing", X_OK);
    });
    run.expect(SYSCALL_ACCESS_X, {{"res", 0}, {"name", "file"}, {"mode", 6}});
    run.expect(SYSCALL_ACCESS_X, {{"res", -ENOENT}, {"name", "missing"}, {"mode", 1}});
}

LIVE_TEST(SYSCALL_STAT_X) {
    Run run([] {
        struct stat s;
        call(SYS_stat, "/", &s);
        call(SYS_stat, "missing", &s);
    });
    run.expect(SYSCALL_STAT_X, {{"res", 0}, {"path", "/"}});
    run.expect(SYSCALL_STAT_X, {{"res", -ENOENT}, {"path", "missing"}});
}

LIVE_TEST(SYSCALL_LSTAT_X) {
    Run run([] {
        struct stat s;
        call(SYS_lstat, "/proc/self", &s);
        call(SYS_lstat, "missing", &s);
    });
    run.expect(SYSCALL_LSTAT_X, {{"res", 0}, {"path", "/proc/self"}});
    run.expect(SYSCALL_LSTAT_X, {{"res", -ENOENT}, {"path", "missing"}});
}

LIVE_TEST(SYSCALL_FSTAT_X) {
    Run run([] {
        struct stat s;
        note(0, make_file());
        call(SYS_fstat, note_of(0), &s);
        call(SYS_fstat, -1, &s);
    });
    run.expect(SYSCALL_FSTAT_X, {{"res", 0}, {"fd", run.note(0)}});
    run.expect(SYSCALL_FSTAT_X, {{"res", -EBADF}, {"fd", -1}});
}

LIVE_TEST(SYSCALL_NEWFSTATAT_X) {
    Run run([] {
        struct stat s;
        make_file();
        call(SYS_newfstatat, AT_FDCWD, "file", &s, AT_SYMLINK_NOFOLLOW);
        call(SYS_newfstatat, 77, "file", &s, AT_EMPTY_PATH);
    });
    run.expect(SYSCALL_NEWFSTATAT_X,
               {{"res", 0}, {"dirfd", AT_FDCWD}, {"path", "file"}, {"flags", 0x100}});
    run.expect(SYSCALL_NEWFSTATAT_X,
               {{"res", -EBADF}, {"dirfd", 77}, {"path", "file"}, {"flags", 0x1000}});
}

LIVE_TEST(SYSCALL_FLOCK_X) {
    Run run([] {
        note(0, make_file());
        call(SYS_flock, note_of(0), LOCK_EX | LOCK_NB);
        call(SYS_flock, -1, LOCK_SH);
    });
    run.expect(SYSCALL_FLOCK_X, {{"res", 0}, {"fd", run.note(0)}, {"operation", 2 | 4}});
    run.expect(SYSCALL_FLOCK_X, {{"res", -EBADF}, {"fd", -1}, {"operation", 1}});
}

LIVE_TEST(SYSCALL_GETDENTS_X) {
    Run run([] {
        char buffer[1024];
        note(0, open(".", O_RDONLY | O_DIRECTORY));
        call(SYS_getdents, note_of(0), buffer, sizeof buffer);
        call(SYS_getdents, -1, buffer, sizeof buffer);
    });
    run.expect(SYSCALL_GETDENTS_X, {{"res", run.result(0)}, {"fd", run.note(0)}});
    run.expect(SYSCALL_GETDENTS_X, {{"res", -EBADF}, {"fd", -1}});
    CHECK(run.result(0) > 0);
}

LIVE_TEST(SYSCALL_GETDENTS64_X) {
    Run run([] {
        char buffer[1024];
        note(0, open(".", O_RDONLY | O_DIRECTORY));
        call(SYS_getdents64, note_of(0), buffer, sizeof buffer);
        call(SYS_getdents64, -1, buffer, sizeof buffer);
    });
    run.expect(SYSCALL_GETDENTS64_X, {{"res", run.result(0)}, {"fd", run.note(0)}});
    run.expect(SYSCALL_GETDENTS64_X, {{"res", -EBADF}, {"fd", -1}});
    CHECK(run.result(0) > 0);
}

LIVE_TEST(SYSCALL_LSEEK_X) {
    Run run([] {
        note(0, make_file());
        call(SYS_lseek, note_of(0), 5'000'000'000, SEEK_SET);
        call(SYS_lseek, note_of(0), -4, SEEK_CUR);
        call(SYS_lseek, -1, 3, SEEK_END);
    });
    run.expect(
        SYSCALL_LSEEK_X,
        {{"res", 5'000'000'000}, {"fd", run.note(0)}, {"offset", 5'000'000'000}, {"whence", 0}});
    run.expect(SYSCALL_LSEEK_X,
               {{"res", 4'999'999'996}, {"fd", run.note(0)}, {"offset", -4}, {"whence", 1}});
    run.expect(SYSCALL_LSEEK_X, {{"res", -EBADF}, {"fd", -1}, {"offset", 3}, {"whence", 2}});
}

} // namespace tiercel::live
