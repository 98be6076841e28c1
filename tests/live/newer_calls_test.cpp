// SPDX-License-Identifier: Apache-2.0
//
// More calls beyond the scap schema: extended attributes, process_madvise, Landlock, memory, mounts
// by number, quotas by descriptor and the futex calls. A kernel without a call gives its event with
// ENOSYS, so each test knows the result from the call itself.
#include <fcntl.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/xattr.h>

#include <cerrno>
#include <cstdlib>

#include "tests/live/harness/run.h"
#include "tests/live/harness/session.h"

namespace tiercel::live {

namespace {

// Numbers of all architectures (asm-generic/unistd.h).
constexpr long kProcessMadvise = 440, kQuotactlFd = 443, kLandlockCreateRuleset = 444,
               kLandlockAddRule = 445, kLandlockRestrictSelf = 446, kFutexWaitv = 449,
               kCachestat = 451, kMapShadowStack = 453, kFutexWake = 454, kFutexWait = 455,
               kFutexRequeue = 456, kStatmount = 457, kListmount = 458, kMseal = 462,
               kSetxattrat = 463, kRemovexattrat = 466;

void make_file(const char* name) {
    close(open(name, O_CREAT | O_RDWR, 0644));
}

// arch/x86/entry/common.c: a number beyond the kernel's table calls ni_syscall(), which the
// compiler inlines there, so that no function is left to attach to.
bool is_out_of_sight(const Run& run) {
    return run.result(0) == -ENOSYS && session().reply().attach == wire::Attach::per_syscall;
}
#define SKIP_IF_OUT_OF_SIGHT(run, code)                                                            \
    if (is_out_of_sight(run))                                                                      \
    LIVE_SKIP("attached per syscall, and this kernel has no such call", code)

} // namespace

LIVE_TEST(SYSCALL_SETXATTR_X) {
    Run run([] {
        make_file("file");
        call(SYS_setxattr, "file", "user.note", "text", 4, XATTR_CREATE);
        call(SYS_setxattr, "missing", "user.note", "text", 3, XATTR_REPLACE);
    });
    run.expect(SYSCALL_SETXATTR_X, {{"res", run.result(0)},
                                    {"path", "file"},
                                    {"name", "user.note"},
                                    {"value", Raw{"text"}},
                                    {"flags", XATTR_CREATE}});
    run.expect(SYSCALL_SETXATTR_X, {{"res", -ENOENT},
                                    {"path", "missing"},
                                    {"name", "user.note"},
                                    {"value", Raw{"tex"}},
                                    {"flags", XATTR_REPLACE}});
}

LIVE_TEST(SYSCALL_LSETXATTR_X) {
    Run run([] {
        make_file("file");
        call(SYS_lsetxattr, "file", "user.note", "text", 4, 0);
        call(SYS_lsetxattr, "missing", "user.note", nullptr, 0, 0);
    });
    run.expect(SYSCALL_LSETXATTR_X, {{"res", run.result(0)},
                                     {"path", "file"},
                                     {"name", "user.note"},
                                     {"value", Raw{"text"}},
                                     {"flags", 0}});
    run.expect(SYSCALL_LSETXATTR_X, {{"res", -ENOENT},
                                     {"path", "missing"},
                                     {"name", "user.note"},
                                     {"value", kNothing},
                                     {"flags", 0}});
}

LIVE_TEST(SYSCALL_FSETXATTR_X) {
    Run run([] {
        note(0, open("file", O_CREAT | O_RDWR, 0644));
        call(SYS_fsetxattr, note_of(0), "user.note", "text", 4, 0);
        call(SYS_fsetxattr, 77, "user.note", "text", 4, 0);
    });
    run.expect(SYSCALL_FSETXATTR_X, {{"res", run.result(0)},
                                     {"fd", run.note(0)},
                                     {"name", "user.note"},
                                     {"value", Raw{"text"}},
                                     {"flags", 0}});
    run.expect(
        SYSCALL_FSETXATTR_X,
        {{"res", -EBADF}, {"fd", 77}, {"name", "user.note"}, {"value", Raw{"text"}}, {"flags", 0}});
}

LIVE_TEST(SYSCALL_SETXATTRAT_X) {
    Run run([] {
        make_file("file");
        struct {
            std::uint64_t value;
            std::uint32_t size, flags;
        } arguments{static_cast<std::uint64_t>(as_argument("text")), 4, 0};
        call(kSetxattrat, AT_FDCWD, "file", 0, "user.note", &arguments, sizeof arguments);
        call(kSetxattrat, 77, "file", AT_SYMLINK_NOFOLLOW, "user.note", &arguments,
             sizeof arguments);
    });
    SKIP_IF_OUT_OF_SIGHT(run, SYSCALL_SETXATTRAT_X);
    run.expect(SYSCALL_SETXATTRAT_X, {{"res", run.result(0)},
                                      {"dirfd", AT_FDCWD},
                                      {"path", "file"},
                                      {"at_flags", 0},
                                      {"name", "user.note"}});
    run.expect(SYSCALL_SETXATTRAT_X, {{"res", run.result(1)},
                                      {"dirfd", 77},
                                      {"path", "file"},
                                      {"at_flags", AT_SYMLINK_NOFOLLOW},
                                      {"name", "user.note"}});
}

LIVE_TEST(SYSCALL_REMOVEXATTR_X) {
    Run run([] {
        make_file("file");
        setxattr("file", "user.note", "text", 4, 0);
        call(SYS_removexattr, "file", "user.note");
        call(SYS_removexattr, "missing", "user.note");
    });
    run.expect(SYSCALL_REMOVEXATTR_X,
               {{"res", run.result(0)}, {"path", "file"}, {"name", "user.note"}});
    run.expect(SYSCALL_REMOVEXATTR_X,
               {{"res", -ENOENT}, {"path", "missing"}, {"name", "user.note"}});
}

LIVE_TEST(SYSCALL_LREMOVEXATTR_X) {
    Run run([] {
        make_file("file");
        setxattr("file", "user.note", "text", 4, 0);
        call(SYS_lremovexattr, "file", "user.note");
        call(SYS_lremovexattr, "missing", "user.note");
    });
    run.expect(SYSCALL_LREMOVEXATTR_X,
               {{"res", run.result(0)}, {"path", "file"}, {"name", "user.note"}});
    run.expect(SYSCALL_LREMOVEXATTR_X,
               {{"res", -ENOENT}, {"path", "missing"}, {"name", "user.note"}});
}

LIVE_TEST(SYSCALL_FREMOVEXATTR_X) {
    Run run([] {
        note(0, open("file", O_CREAT | O_RDWR, 0644));
        setxattr("file", "user.note", "text", 4, 0);
        call(SYS_fremovexattr, note_of(0), "user.note");
        call(SYS_fremovexattr, 77, "user.note");
    });
    run.expect(SYSCALL_FREMOVEXATTR_X,
               {{"res", run.result(0)}, {"fd", run.note(0)}, {"name", "user.note"}});
    run.expect(SYSCALL_FREMOVEXATTR_X, {{"res", -EBADF}, {"fd", 77}, {"name", "user.note"}});
}

LIVE_TEST(SYSCALL_REMOVEXATTRAT_X) {
    Run run([] {
        make_file("file");
        setxattr("file", "user.note", "text", 4, 0);
        call(kRemovexattrat, AT_FDCWD, "file", 0, "user.note");
        call(kRemovexattrat, 77, "file", AT_SYMLINK_NOFOLLOW, "user.note");
    });
    SKIP_IF_OUT_OF_SIGHT(run, SYSCALL_REMOVEXATTRAT_X);
    run.expect(SYSCALL_REMOVEXATTRAT_X, {{"res", run.result(0)},
                                         {"dirfd", AT_FDCWD},
                                         {"path", "file"},
                                         {"at_flags", 0},
                                         {"name", "user.note"}});
    run.expect(SYSCALL_REMOVEXATTRAT_X, {{"res", run.result(1)},
                                         {"dirfd", 77},
                                         {"path", "file"},
                                         {"at_flags", AT_SYMLINK_NOFOLLOW},
                                         {"name", "user.note"}});
}

LIVE_TEST(SYSCALL_PROCESS_MADVISE_X) {
    Run run([] {
        void* page = mmap(nullptr, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        iovec parts[] = {{page, 4096}, {page, 8192}};
        note(0, syscall(SYS_pidfd_open, getpid(), 0));
        call(kProcessMadvise, note_of(0), parts, 2, MADV_COLD, 0);
        call(kProcessMadvise, 77, parts, 1, MADV_PAGEOUT, 0);
    });
    SKIP_IF_OUT_OF_SIGHT(run, SYSCALL_PROCESS_MADVISE_X);
    run.expect(SYSCALL_PROCESS_MADVISE_X, {{"res", run.result(0)},
                                           {"fd", run.note(0)},
                                           {"size", 12288},
                                           {"advice", MADV_COLD},
                                           {"flags", 0}});
    run.expect(SYSCALL_PROCESS_MADVISE_X, {{"res", run.result(1)},
                                           {"fd", 77},
                                           {"size", 4096},
                                           {"advice", MADV_PAGEOUT},
                                           {"flags", 0}});
}

LIVE_TEST(SYSCALL_LANDLOCK_CREATE_RULESET_X) {
    Run run([] {
        const std::uint64_t handled = 3;
        call(kLandlockCreateRuleset, &handled, sizeof handled, 0);
        call(kLandlockCreateRuleset, nullptr, 5, 0);
    });
    run.expect(SYSCALL_LANDLOCK_CREATE_RULESET_X,
               {{"res", run.result(0)}, {"handled_access_fs", 3}, {"size", 8}, {"flags", 0}});
    run.expect(SYSCALL_LANDLOCK_CREATE_RULESET_X,
               {{"res", run.result(1)}, {"handled_access_fs", 0}, {"size", 5}, {"flags", 0}});
}

LIVE_TEST(SYSCALL_LANDLOCK_ADD_RULE_X) {
    Run run([] {
        const std::uint64_t handled = 3;
        note(0, syscall(kLandlockCreateRuleset, &handled, sizeof handled, 0));
        struct {
            std::uint64_t allowed;
            std::int32_t parent;
        } rule{1, open(".", O_PATH)}; // struct landlock_path_beneath_attr, which is packed
        call(kLandlockAddRule, note_of(0), 1, &rule, 0);
        call(kLandlockAddRule, 77, 9, &rule, 4);
    });
    run.expect(SYSCALL_LANDLOCK_ADD_RULE_X, {{"res", run.result(0)},
                                             {"fd", run.note(0)},
                                             {"type", 1},
                                             {"allowed_access", 1},
                                             {"flags", 0}});
    run.expect(
        SYSCALL_LANDLOCK_ADD_RULE_X,
        {{"res", run.result(1)}, {"fd", 77}, {"type", 9}, {"allowed_access", 1}, {"flags", 4}});
}

LIVE_TEST(SYSCALL_LANDLOCK_RESTRICT_SELF_X) {
    Run run([] {
        const std::uint64_t handled = 1;
        note(0, syscall(kLandlockCreateRuleset, &handled, sizeof handled, 0));
        call(kLandlockRestrictSelf, note_of(0), 0);
        call(kLandlockRestrictSelf, 77, 0x4000);
    });
    run.expect(SYSCALL_LANDLOCK_RESTRICT_SELF_X,
               {{"res", run.result(0)}, {"fd", run.note(0)}, {"flags", 0}});
    run.expect(SYSCALL_LANDLOCK_RESTRICT_SELF_X,
               {{"res", run.result(1)}, {"fd", 77}, {"flags", 0x4000}});
}

LIVE_TEST(SYSCALL_MAP_SHADOW_STACK_X) {
    Run run([] {
        call(kMapShadowStack, 0, 4096, 1);
        call(kMapShadowStack, 0x1234, 100, 0x70);
    });
    SKIP_IF_OUT_OF_SIGHT(run, SYSCALL_MAP_SHADOW_STACK_X);
    run.expect(SYSCALL_MAP_SHADOW_STACK_X,
               {{"res", run.result(0)}, {"addr", 0}, {"size", 4096}, {"flags", 1}});
    run.expect(SYSCALL_MAP_SHADOW_STACK_X,
               {{"res", run.result(1)}, {"addr", 0x1234}, {"size", 100}, {"flags", 0x70}});
}

LIVE_TEST(SYSCALL_MSEAL_X) {
    Run run([] {
        void* page = mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        note(0, as_argument(page));
        call(kMseal, page, 4096, 0);
        call(kMseal, 0x1000, 4096, 7);
    });
    SKIP_IF_OUT_OF_SIGHT(run, SYSCALL_MSEAL_X);
    run.expect(SYSCALL_MSEAL_X,
               {{"res", run.result(0)}, {"addr", run.note(0)}, {"length", 4096}, {"flags", 0}});
    run.expect(SYSCALL_MSEAL_X,
               {{"res", run.result(1)}, {"addr", 0x1000}, {"length", 4096}, {"flags", 7}});
}

LIVE_TEST(SYSCALL_CACHESTAT_X) {
    Run run([] {
        note(0, open("file", O_CREAT | O_RDWR, 0644));
        std::uint64_t range[] = {4096, 8192}, result[5] = {};
        call(kCachestat, note_of(0), range, result, 0);
        call(kCachestat, 77, range, result, 3);
    });
    SKIP_IF_OUT_OF_SIGHT(run, SYSCALL_CACHESTAT_X);
    run.expect(SYSCALL_CACHESTAT_X, {{"res", run.result(0)},
                                     {"fd", run.note(0)},
                                     {"offset", 4096},
                                     {"length", 8192},
                                     {"flags", 0}});
    run.expect(
        SYSCALL_CACHESTAT_X,
        {{"res", run.result(1)}, {"fd", 77}, {"offset", 4096}, {"length", 8192}, {"flags", 3}});
}

namespace {

constexpr std::uint64_t kWholeTree = ~std::uint64_t{0}; // LSMT_ROOT of linux/mount.h

} // namespace

LIVE_TEST(SYSCALL_STATMOUNT_X) {
    Run run([] {
        std::uint64_t request[] = {24, 5, 1}, buffer[64] = {}; // struct mnt_id_req
        call(kStatmount, request, buffer, sizeof buffer, 0);
        call(kStatmount, request, buffer, sizeof buffer, 0x800);
    });
    SKIP_IF_OUT_OF_SIGHT(run, SYSCALL_STATMOUNT_X);
    run.expect(SYSCALL_STATMOUNT_X,
               {{"res", run.result(0)}, {"mnt_id", 5}, {"mask", 1}, {"flags", 0}});
    run.expect(SYSCALL_STATMOUNT_X,
               {{"res", run.result(1)}, {"mnt_id", 5}, {"mask", 1}, {"flags", 0x800}});
}

LIVE_TEST(SYSCALL_LISTMOUNT_X) {
    Run run([] {
        std::uint64_t request[] = {24, kWholeTree, 0}, ids[4] = {};
        call(kListmount, request, ids, 4, 0);
        call(kListmount, request, ids, 3, 0x800);
    });
    SKIP_IF_OUT_OF_SIGHT(run, SYSCALL_LISTMOUNT_X);
    run.expect(SYSCALL_LISTMOUNT_X,
               {{"res", run.result(0)}, {"mnt_id", kWholeTree}, {"count", 4}, {"flags", 0}});
    run.expect(SYSCALL_LISTMOUNT_X,
               {{"res", run.result(1)}, {"mnt_id", kWholeTree}, {"count", 3}, {"flags", 0x800}});
}

LIVE_TEST(SYSCALL_QUOTACTL_FD_X) {
    Run run([] {
        note(0, open(".", O_RDONLY));
        call(kQuotactlFd, note_of(0), 0x80000701, 12, nullptr); // Q_GETQUOTA of a group
        call(kQuotactlFd, 77, 0x80000100, 0, nullptr);          // Q_SYNC for users
    });
    run.expect(SYSCALL_QUOTACTL_FD_X,
               {{"res", run.result(0)}, {"fd", run.note(0)}, {"cmd", 32}, {"type", 2}, {"id", 12}});
    run.expect(SYSCALL_QUOTACTL_FD_X,
               {{"res", run.result(1)}, {"fd", 77}, {"cmd", 128}, {"type", 1}, {"id", 0}});
}

namespace {

// struct futex_waitv of linux/futex.h, for 32-bit futexes.
struct Waiter {
    std::uint64_t value, address;
    std::uint32_t flags, reserved;
};
constexpr std::uint32_t kSize32 = 2;

Waiter waiter(const std::uint32_t& word, std::uint64_t value) {
    return {value, static_cast<std::uint64_t>(as_argument(&word)), kSize32, 0};
}

} // namespace

LIVE_TEST(SYSCALL_FUTEX_WAITV_X) {
    Run run([] {
        const std::uint32_t word = 5;
        const Waiter waiters[] = {waiter(word, 6)};
        note(0, as_argument(&word));
        call(kFutexWaitv, waiters, 1, 0, nullptr, 0);
        call(kFutexWaitv, waiters, 200, 1, nullptr, 0);
    });
    SKIP_IF_OUT_OF_SIGHT(run, SYSCALL_FUTEX_WAITV_X);
    run.expect(SYSCALL_FUTEX_WAITV_X,
               {{"res", run.result(0)}, {"addr", run.note(0)}, {"count", 1}, {"flags", 0}});
    run.expect(SYSCALL_FUTEX_WAITV_X,
               {{"res", run.result(1)}, {"addr", run.note(0)}, {"count", 200}, {"flags", 1}});
}

LIVE_TEST(SYSCALL_FUTEX_WAKE_X) {
    Run run([] {
        const std::uint32_t word = 0;
        note(0, as_argument(&word));
        call(kFutexWake, &word, 0xff, 3, kSize32);
        call(kFutexWake, &word, 1, 1, 0x100);
    });
    SKIP_IF_OUT_OF_SIGHT(run, SYSCALL_FUTEX_WAKE_X);
    run.expect(SYSCALL_FUTEX_WAKE_X, {{"res", run.result(0)},
                                      {"addr", run.note(0)},
                                      {"mask", 0xff},
                                      {"count", 3},
                                      {"flags", kSize32}});
    run.expect(SYSCALL_FUTEX_WAKE_X, {{"res", run.result(1)},
                                      {"addr", run.note(0)},
                                      {"mask", 1},
                                      {"count", 1},
                                      {"flags", 0x100}});
}

LIVE_TEST(SYSCALL_FUTEX_WAIT_X) {
    Run run([] {
        const std::uint32_t word = 5;
        note(0, as_argument(&word));
        call(kFutexWait, &word, 6, 0xff, kSize32, nullptr, 0);
        call(kFutexWait, &word, 7, 1, 0x100, nullptr, 0);
    });
    SKIP_IF_OUT_OF_SIGHT(run, SYSCALL_FUTEX_WAIT_X);
    run.expect(SYSCALL_FUTEX_WAIT_X, {{"res", run.result(0)},
                                      {"addr", run.note(0)},
                                      {"value", 6},
                                      {"mask", 0xff},
                                      {"flags", kSize32}});
    run.expect(SYSCALL_FUTEX_WAIT_X, {{"res", run.result(1)},
                                      {"addr", run.note(0)},
                                      {"value", 7},
                                      {"mask", 1},
                                      {"flags", 0x100}});
}

LIVE_TEST(SYSCALL_FUTEX_REQUEUE_X) {
    Run run([] {
        const std::uint32_t from = 5, to = 0;
        const Waiter waiters[] = {waiter(from, 5), waiter(to, 0)};
        note(0, as_argument(&from));
        note(1, as_argument(&to));
        call(kFutexRequeue, waiters, 0, 1, 2);
        call(kFutexRequeue, waiters, 1, 0, 0);
    });
    SKIP_IF_OUT_OF_SIGHT(run, SYSCALL_FUTEX_REQUEUE_X);
    run.expect(SYSCALL_FUTEX_REQUEUE_X, {{"res", run.result(0)},
                                         {"from", run.note(0)},
                                         {"to", run.note(1)},
                                         {"wake", 1},
                                         {"requeue", 2}});
    run.expect(SYSCALL_FUTEX_REQUEUE_X, {{"res", run.result(1)},
                                         {"from", run.note(0)},
                                         {"to", run.note(1)},
                                         {"wake", 0},
                                         {"requeue", 0}});
}

} // namespace tiercel::live
