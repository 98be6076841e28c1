// SPDX-License-Identifier: Apache-2.0
// Memory: brk, mmap, munmap, mprotect and the mlock family.
#include <sys/mman.h>

#include "tests/live/harness/run.h"

namespace tiercel::live {

namespace {

// Sizes of a process that has just been forked: more than nothing, less than a terabyte, in KiB.
const Condition kSomeKib = between(100, 1U << 30);
// VmSize as /proc/self/status would say it after the call.
long vm_size() {
    long pages = 0;
    if (FILE* file = fopen("/proc/self/statm", "r")) {
        if (fscanf(file, "%ld", &pages) != 1)
            pages = 0;
        fclose(file);
    }
    return pages * sysconf(_SC_PAGESIZE) / 1024;
}

char page[8192] __attribute__((aligned(4096)));

} // namespace

LIVE_TEST(SYSCALL_BRK_4_X) {
    Run run([] {
        vm_size(); // libc's own memory is taken before the call that is looked at
        const long now = syscall(SYS_brk, 0);
        note(1, call(SYS_brk, now + 8192));
        note(0, vm_size());
    });
    const auto brks = run.of(run.tid(), SYSCALL_BRK_4_X);
    REQUIRE(!brks.empty());
    for (std::size_t i = 0; i + 1 < brks.size(); ++i) // libc's
        run.expect(SYSCALL_BRK_4_X, {{"res", kNonzero},
                                     {"vm_size", kSomeKib},
                                     {"vm_rss", kSomeKib},
                                     {"vm_swap", between(0, 1 << 20)},
                                     {"addr", at_least(0)}});
    run.expect(SYSCALL_BRK_4_X, {{"res", run.note(1)},
                                 {"vm_size", run.note(0)},
                                 {"vm_rss", kSomeKib},
                                 {"vm_swap", between(0, 1 << 20)},
                                 {"addr", run.result(0)}});
}

LIVE_TEST(SYSCALL_MMAP_X) {
    Run run([] {
        call(SYS_mmap, nullptr, 12345, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
        call(SYS_mmap, page, 4096, PROT_EXEC, MAP_SHARED | MAP_FIXED, 77, 8192);
    });
    run.expect(SYSCALL_MMAP_X, {{"res", run.result(0)},
                                {"vm_size", kSomeKib},
                                {"vm_rss", kSomeKib},
                                {"vm_swap", between(0, 1 << 20)},
                                {"addr", 0},
                                {"length", 12345},
                                {"prot", 1 | 2},
                                {"flags", 2 | 8 | 128},
                                {"fd", -1},
                                {"offset", 0}});
    run.expect(SYSCALL_MMAP_X, {{"res", -EBADF},
                                {"vm_size", kSomeKib},
                                {"vm_rss", kSomeKib},
                                {"vm_swap", between(0, 1 << 20)},
                                {"addr", as_argument(page)},
                                {"length", 4096},
                                {"prot", 4},
                                {"flags", 1 | 4},
                                {"fd", 77},
                                {"offset", 8192}});
}

LIVE_TEST(SYSCALL_MUNMAP_X) {
    Run run([] {
        note(0, syscall(SYS_mmap, nullptr, 1 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        vm_size();
        call(SYS_munmap, note_of(0), 1 << 20);
        note(1, vm_size());
        call(SYS_munmap, 50, 4096);
    });
    // libc's munmap() of the file buffer comes between.
    const auto unmaps = run.of(run.tid(), SYSCALL_MUNMAP_X);
    std::size_t seen = 0;
    for (const EventView& view : unmaps)
        if (*view.number<std::int64_t>(4) == run.note(0) || *view.number<std::int64_t>(4) == 50)
            ++seen;
    CHECK(seen == 2);
    for (const EventView& view : unmaps) {
        if (*view.number<std::int64_t>(4) == run.note(0))
            run.expect(SYSCALL_MUNMAP_X, {{"res", 0},
                                          {"vm_size", run.note(1)},
                                          {"vm_rss", kSomeKib},
                                          {"vm_swap", between(0, 1 << 20)},
                                          {"addr", run.note(0)},
                                          {"length", 1 << 20}});
        else if (*view.number<std::int64_t>(4) == 50)
            run.expect(SYSCALL_MUNMAP_X, {{"res", -EINVAL},
                                          {"vm_size", kSomeKib},
                                          {"vm_rss", kSomeKib},
                                          {"vm_swap", between(0, 1 << 20)},
                                          {"addr", 50},
                                          {"length", 4096}});
        else
            run.expect(SYSCALL_MUNMAP_X, {{"res", 0},
                                          {"vm_size", kSomeKib},
                                          {"vm_rss", kSomeKib},
                                          {"vm_swap", between(0, 1 << 20)},
                                          {"addr", kNonzero},
                                          {"length", kNonzero}});
    }
}

LIVE_TEST(SYSCALL_MPROTECT_X) {
    Run run([] {
        call(SYS_mprotect, page, 4096, PROT_READ);
        call(SYS_mprotect, page + 1, 4096, PROT_READ | PROT_EXEC);
    });
    run.expect(SYSCALL_MPROTECT_X,
               {{"res", 0}, {"addr", as_argument(page)}, {"length", 4096}, {"prot", 1}});
    run.expect(
        SYSCALL_MPROTECT_X,
        {{"res", -EINVAL}, {"addr", as_argument(page + 1)}, {"length", 4096}, {"prot", 1 | 4}});
}

LIVE_TEST(SYSCALL_MLOCK_X) {
    Run run([] {
        call(SYS_mlock, page, 4096);
        call(SYS_mlock, 0, 4096);
    });
    run.expect(SYSCALL_MLOCK_X, {{"res", 0}, {"addr", as_argument(page)}, {"len", 4096}});
    run.expect(SYSCALL_MLOCK_X, {{"res", -ENOMEM}, {"addr", 0}, {"len", 4096}});
}

LIVE_TEST(SYSCALL_MLOCK2_X) {
    Run run([] {
        call(SYS_mlock2, page, 8192, MLOCK_ONFAULT);
        call(SYS_mlock2, page, 4096, 8);
    });
    run.expect(SYSCALL_MLOCK2_X,
               {{"res", 0}, {"addr", as_argument(page)}, {"len", 8192}, {"flags", 1}});
    run.expect(SYSCALL_MLOCK2_X,
               {{"res", -EINVAL}, {"addr", as_argument(page)}, {"len", 4096}, {"flags", 8}});
}

LIVE_TEST(SYSCALL_MUNLOCK_X) {
    Run run([] {
        call(SYS_munlock, page, 4096);
        call(SYS_munlock, 0, 8192);
    });
    run.expect(SYSCALL_MUNLOCK_X, {{"res", 0}, {"addr", as_argument(page)}, {"len", 4096}});
    run.expect(SYSCALL_MUNLOCK_X, {{"res", -ENOMEM}, {"addr", 0}, {"len", 8192}});
}

LIVE_TEST(SYSCALL_MLOCKALL_X) {
    Run run([] {
        call(SYS_mlockall, MCL_CURRENT | MCL_ONFAULT);
        call(SYS_mlockall, 0);
    });
    run.expect(SYSCALL_MLOCKALL_X, {{"res", run.result(0)}, {"flags", 1 | 4}});
    run.expect(SYSCALL_MLOCKALL_X, {{"res", -EINVAL}, {"flags", 0}});
    CHECK(run.result(0) == 0);
}

LIVE_TEST(SYSCALL_MUNLOCKALL_X) {
    Run run([] { call(SYS_munlockall); });
    run.expect(SYSCALL_MUNLOCKALL_X, {{"res", 0}});
}

} // namespace tiercel::live
