// SPDX-License-Identifier: Apache-2.0
// Opening files: open, openat, openat2, creat, open_by_handle_at; and directories: chdir, getcwd,
// ...
#include "tests/live/harness/numbers.h"
#include "tests/live/harness/paths.h"
#include "tests/live/harness/run.h"
#include "tests/live/harness/session.h"

#include <cstring>
#include <fcntl.h>
#include <linux/openat2.h>

namespace tiercel::live {

namespace {

long created_flag() {
    return by_ptrace() ? 0 : created;
}

} // namespace

// The schema's open flags.
constexpr long S_RDONLY = 1, S_WRONLY = 2, S_RDWR = 3, S_CREAT = 4, S_APPEND = 8, S_EXCL = 32,
               S_NONBLOCK = 64, S_TRUNC = 256, S_DIRECTORY = 1024, S_CLOEXEC = 4096,
               S_TMPFILE = 8192;

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
                {"flags", S_WRONLY | S_CREAT | S_EXCL | created_flag() | file.layer},
                {"mode", 0600},
                {"dev", file.dev},
                {"ino", file.ino}});
    run.expect(SYSCALL_OPEN_X, {{"fd", -ENOENT},
                                {"name", "missing"},
                                {"flags", S_RDONLY | S_NONBLOCK},
                                {"mode", 0},
                                {"dev", 0},
                                {"ino", 0}});
    run.expect(SYSCALL_OPEN_X, {{"fd", -EFAULT},
                                {"name", nothing},
                                {"flags", S_RDWR},
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
                {"flags", S_RDWR | S_CREAT | S_CLOEXEC | created_flag() | file.layer},
                {"mode", 0640},
                {"dev", file.dev},
                {"ino", file.ino}});
    run.expect(SYSCALL_OPENAT_2_X, {{"fd", run.result(1)},
                                    {"dirfd", AT_FDCWD},
                                    {"name", "file"},
                                    {"flags", S_WRONLY | S_TRUNC | S_APPEND | file.layer},
                                    {"mode", 0},
                                    {"dev", file.dev},
                                    {"ino", file.ino}});
    if (run.result(2) >= 0)
        run.expect(SYSCALL_OPENAT_2_X, {{"fd", run.result(2)},
                                        {"dirfd", AT_FDCWD},
                                        {"name", "."},
                                        {"flags", S_RDWR | S_TMPFILE | S_DIRECTORY | file.layer},
                                        {"mode", 0644},
                                        {"dev", file.dev},
                                        {"ino", nonzero}});
    else
        run.expect(SYSCALL_OPENAT_2_X, {{"fd", -EOPNOTSUPP},
                                        {"dirfd", AT_FDCWD},
                                        {"name", "."},
                                        {"flags", S_RDWR | S_TMPFILE | S_DIRECTORY},
                                        {"mode", 0644},
                                        {"dev", 0},
                                        {"ino", 0}});
    run.expect(SYSCALL_OPENAT_2_X, {{"fd", -EBADF},
                                    {"dirfd", 77},
                                    {"name", "missing"},
                                    {"flags", S_RDONLY | S_DIRECTORY},
                                    {"mode", 0},
                                    {"dev", 0},
                                    {"ino", 0}});
}

LIVE_TEST(SYSCALL_OPENAT_2_X, "long path") {
    static const std::string path(4000, 'p');
    Run run([] { call(SYS_openat, AT_FDCWD, path.c_str(), O_RDONLY); });
    run.expect(SYSCALL_OPENAT_2_X, {{"fd", -ENAMETOOLONG},
                                    {"dirfd", AT_FDCWD},
                                    {"name", path},
                                    {"flags", S_RDONLY},
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
                                   {"flags", S_RDWR | S_CREAT},
                                   {"mode", 0604},
                                   {"resolve", 1 | 8},
                                   {"dev", file.dev},
                                   {"ino", file.ino}});
    run.expect(SYSCALL_OPENAT2_X, {{"fd", -EBADF},
                                   {"dirfd", 77},
                                   {"name", "missing"},
                                   {"flags", S_RDONLY},
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
                                             {"flags", S_RDWR | S_CLOEXEC | file.layer},
                                             {"path", run.path("file")},
                                             {"dev", file.dev},
                                             {"ino", file.ino}});
    run.expect(SYSCALL_OPEN_BY_HANDLE_AT_X, {{"fd", -EBADF},
                                             {"mountfd", 77},
                                             {"flags", S_RDONLY},
                                             {"path", nothing},
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
    run.expect(SYSCALL_GETCWD_X, {{"res", -ERANGE}, {"path", nothing}});
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
