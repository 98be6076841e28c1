// SPDX-License-Identifier: Apache-2.0
// Opening files: open, openat, openat2, creat, open_by_handle_at; and directories: chdir, getcwd,
// ...
#include <fcntl.h>
#include <linux/openat2.h>

#include <cstring>

#include "tests/live/harness/numbers.h"
#include "tests/live/harness/paths.h"
#include "tests/live/harness/run.h"
#include "tests/live/harness/session.h"

namespace tiercel::live {

namespace {

long created_flag() {
    return by_ptrace() ? 0 : kCreated;
}

} // namespace

// The schema's open flags.
constexpr long kSRdonly = 1, kSWronly = 2, kSRdwr = 3, kSCreat = 4, kSAppend = 8, kSExcl = 32,
               kSNonblock = 64, kSTrunc = 256, kSDirectory = 1024, kSCloexec = 4096,
               kSTmpfile = 8192;

LIVE_TEST(SYSCALL_OPEN_X) {
    Run run([] {
        call(SYS_open, "file", O_WRONLY | O_CREAT | O_EXCL, 0600);
        call(SYS_open, "missing", O_RDONLY | O_NONBLOCK);
        call(SYS_open, nullptr, O_RDWR);
    });
    const FileFacts file(run.path("file"));
    run.expect(SYSCALL_OPEN_X,
               {{"fd", run.result(0)},
                {"name", "file"},
                {"flags", kSWronly | kSCreat | kSExcl | created_flag() | file.layer},
                {"mode", 0600},
                {"dev", file.dev},
                {"ino", file.ino}});
    run.expect(SYSCALL_OPEN_X, {{"fd", -ENOENT},
                                {"name", "missing"},
                                {"flags", kSRdonly | kSNonblock},
                                {"mode", 0},
                                {"dev", 0},
                                {"ino", 0}});
    run.expect(SYSCALL_OPEN_X, {{"fd", -EFAULT},
                                {"name", kNothing},
                                {"flags", kSRdwr},
                                {"mode", 0},
                                {"dev", 0},
                                {"ino", 0}});
}

LIVE_TEST(SYSCALL_OPENAT_2_X) {
    Run run([] {
        call(SYS_openat, AT_FDCWD, "file", O_RDWR | O_CREAT | O_CLOEXEC, 0640);
        call(SYS_openat, AT_FDCWD, "file", O_WRONLY | O_TRUNC | O_APPEND, 0777);
        call(SYS_openat, AT_FDCWD, ".", O_RDWR | O_TMPFILE, 0644);
        call(SYS_openat, 77, "missing", O_RDONLY | O_DIRECTORY);
    });
    const FileFacts file(run.path("file"));
    run.expect(SYSCALL_OPENAT_2_X,
               {{"fd", run.result(0)},
                {"dirfd", AT_FDCWD},
                {"name", "file"},
                {"flags", kSRdwr | kSCreat | kSCloexec | created_flag() | file.layer},
                {"mode", 0640},
                {"dev", file.dev},
                {"ino", file.ino}});
    run.expect(SYSCALL_OPENAT_2_X, {{"fd", run.result(1)},
                                    {"dirfd", AT_FDCWD},
                                    {"name", "file"},
                                    {"flags", kSWronly | kSTrunc | kSAppend | file.layer},
                                    {"mode", 0},
                                    {"dev", file.dev},
                                    {"ino", file.ino}});
    if (run.result(2) >= 0)
        run.expect(SYSCALL_OPENAT_2_X, {{"fd", run.result(2)},
                                        {"dirfd", AT_FDCWD},
                                        {"name", "."},
                                        {"flags", kSRdwr | kSTmpfile | kSDirectory | file.layer},
                                        {"mode", 0644},
                                        {"dev", file.dev},
                                        {"ino", kNonzero}});
    else
        run.expect(SYSCALL_OPENAT_2_X, {{"fd", -EOPNOTSUPP},
                                        {"dirfd", AT_FDCWD},
                                        {"name", "."},
                                        {"flags", kSRdwr | kSTmpfile | kSDirectory},
                                        {"mode", 0644},
                                        {"dev", 0},
                                        {"ino", 0}});
    run.expect(SYSCALL_OPENAT_2_X, {{"fd", -EBADF},
                                    {"dirfd", 77},
                                    {"name", "missing"},
                                    {"flags", kSRdonly | kSDirectory},
                                    {"mode", 0},
                                    {"dev", 0},
                                    {"ino", 0}});
}

LIVE_TEST(SYSCALL_OPENAT_2_X, "long path") {
    static const std::string kPath(4000, 'p');
    Run run([] { call(SYS_openat, AT_FDCWD, kPath.c_str(), O_RDONLY); });
    run.expect(SYSCALL_OPENAT_2_X, {{"fd", -ENAMETOOLONG},
                                    {"dirfd", AT_FDCWD},
                                    {"name", kPath},
                                    {"flags", kSRdonly},
                                    {"mode", 0},
                                    {"dev", 0},
                                    {"ino", 0}});
}

LIVE_TEST(SYSCALL_OPENAT2_X) {
    Run run([] {
        open_how how{};
        how.flags = O_RDWR | O_CREAT;
        how.mode = 0604;
        how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
        call(SYS_openat2, AT_FDCWD, "file", &how, sizeof how);
        how.resolve = RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS | RESOLVE_IN_ROOT;
        how.flags = O_RDONLY;
        how.mode = 0;
        call(SYS_openat2, 77, "missing", &how, sizeof how);
    });
    if (run.result(0) == -ENOSYS)
        LIVE_SKIP("the kernel has no openat2", SYSCALL_OPENAT2_X);
    const FileFacts file(run.path("file"));
    run.expect(SYSCALL_OPENAT2_X, {{"fd", run.result(0)},
                                   {"dirfd", AT_FDCWD},
                                   {"name", "file"},
                                   {"flags", kSRdwr | kSCreat},
                                   {"mode", 0604},
                                   {"resolve", 1 | 8},
                                   {"dev", file.dev},
                                   {"ino", file.ino}});
    run.expect(SYSCALL_OPENAT2_X, {{"fd", -EBADF},
                                   {"dirfd", 77},
                                   {"name", "missing"},
                                   {"flags", kSRdonly},
                                   {"mode", 0},
                                   {"resolve", 2 | 4 | 16},
                                   {"dev", 0},
                                   {"ino", 0}});
}

LIVE_TEST(SYSCALL_CREAT_X) {
    Run run([] {
        call(SYS_creat, "file", 0751);
        call(SYS_creat, "missing/file", 0600);
    });
    const FileFacts file(run.path("file"));
    run.expect(SYSCALL_CREAT_X, {{"fd", run.result(0)},
                                 {"name", "file"},
                                 {"mode", 0751},
                                 {"dev", file.dev},
                                 {"ino", file.ino},
                                 {"creat_flags", file.layer ? 1 : 0}});
    run.expect(SYSCALL_CREAT_X, {{"fd", -ENOENT},
                                 {"name", "missing/file"},
                                 {"mode", 0600},
                                 {"dev", 0},
                                 {"ino", 0},
                                 {"creat_flags", 0}});
}

LIVE_TEST(SYSCALL_OPEN_BY_HANDLE_AT_X) {
    Run run([] {
        alignas(file_handle) char space[sizeof(file_handle) + MAX_HANDLE_SZ];
        auto* handle = reinterpret_cast<file_handle*>(space);
        handle->handle_bytes = MAX_HANDLE_SZ;
        int mount = 0;
        close(open("file", O_CREAT | O_WRONLY, 0600));
        call(SYS_name_to_handle_at, AT_FDCWD, "file", handle, &mount, 0);
        call(SYS_open_by_handle_at, AT_FDCWD, handle, O_RDWR | O_CLOEXEC);
        call(SYS_open_by_handle_at, 77, handle, O_RDONLY);
    });
    if (run.result(0) < 0 || run.result(1) < 0)
        LIVE_SKIP("this file system has no file handles, or root may not use them",
                  SYSCALL_OPEN_BY_HANDLE_AT_X);
    const FileFacts file(run.path("file"));
    run.expect(SYSCALL_OPEN_BY_HANDLE_AT_X, {{"fd", run.result(1)},
                                             {"mountfd", AT_FDCWD},
                                             {"flags", kSRdwr | kSCloexec | file.layer},
                                             {"path", run.path("file")},
                                             {"dev", file.dev},
                                             {"ino", file.ino}});
    run.expect(SYSCALL_OPEN_BY_HANDLE_AT_X, {{"fd", -EBADF},
                                             {"mountfd", 77},
                                             {"flags", kSRdonly},
                                             {"path", kNothing},
                                             {"dev", 0},
                                             {"ino", 0}});
}

LIVE_TEST(SYSCALL_CHDIR_X) {
    Run run([] {
        call(SYS_chdir, "/tmp");
        call(SYS_chdir, "/no/such/directory");
    });
    run.expect(SYSCALL_CHDIR_X, {{"res", 0}, {"path", "/tmp"}});
    run.expect(SYSCALL_CHDIR_X, {{"res", -ENOENT}, {"path", "/no/such/directory"}});
}

LIVE_TEST(SYSCALL_FCHDIR_X) {
    Run run([] {
        const int fd = open("/", O_RDONLY | O_DIRECTORY);
        note(0, fd);
        call(SYS_fchdir, fd);
        call(SYS_fchdir, -1);
    });
    run.expect(SYSCALL_FCHDIR_X, {{"res", 0}, {"fd", run.note(0)}});
    run.expect(SYSCALL_FCHDIR_X, {{"res", -EBADF}, {"fd", -1}});
}

LIVE_TEST(SYSCALL_GETCWD_X) {
    Run run([] {
        char buffer[512];
        call(SYS_getcwd, buffer, sizeof buffer);
        call(SYS_getcwd, buffer, 1);
    });
    run.expect(SYSCALL_GETCWD_X, {{"res", run.result(0)}, {"path", run.directory()}});
    run.expect(SYSCALL_GETCWD_X, {{"res", -ERANGE}, {"path", kNothing}});
}

LIVE_TEST(SYSCALL_CHROOT_X) {
    Run run([] {
        call(SYS_chroot, "missing");
        call(SYS_chroot, "/proc");
    });
    run.expect(SYSCALL_CHROOT_X, {{"res", -ENOENT}, {"path", "missing"}});
    run.expect(SYSCALL_CHROOT_X, {{"res", 0}, {"path", "/proc"}});
}

} // namespace tiercel::live
