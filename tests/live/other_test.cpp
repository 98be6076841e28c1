// SPDX-License-Identifier: Apache-2.0
// Events of no particular system call: the generic one, thread switches and page faults.
#include <sys/mman.h>
#include <sys/wait.h>

#include <algorithm>

#include "kernel/common/abi.h"
#include "tests/live/harness/run.h"
#include "tests/live/harness/session.h"

namespace tiercel::live {

LIVE_TEST(GENERIC_X) {
    Run run([] {
        call(SYS_sched_yield);
        call(SYS_umask, 022);
        call(SYS_getpriority, 99, 0);
        call(510); // no such call
    });
    run.expect(GENERIC_X,
               {{"ID", find_syscall("sched_yield")->scap}, {"nativeID", SYS_sched_yield}});
    run.expect(GENERIC_X, {{"ID", find_syscall("umask")->scap}, {"nativeID", SYS_umask}});
    run.expect(GENERIC_X,
               {{"ID", find_syscall("getpriority")->scap}, {"nativeID", SYS_getpriority}});
    CHECK(find_syscall("umask")->scap != find_syscall("sched_yield")->scap);
    CHECK(run.result(3) == -ENOSYS);
}

namespace {

// A driver that cannot give a tracepoint's events says so, and does not run without them.
void expect_refused(std::uint32_t tracepoints) {
    SourceOptions options = source_options();
    options.tracepoints = tracepoints;
    CHECK_THROWS_WITH_AS(Source{options}, doctest::Contains("tracepoint"), std::runtime_error);
}

// What a child gave that slept five times and wrote to the page for the first time.
struct Traced {
    char* page = static_cast<char*>(
        mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    long child = 0;
    std::vector<EventBytes> events;
};

// Watches the child by a source of its own, with the tracepoints that the driver has and no system
// calls.
Traced trace() {
    SourceOptions options = source_options();
    options.tracepoints = (declared_gap(SCHEDSWITCH_6_E) ? 0 : TIERCEL_TP_SWITCH) |
                          (declared_gap(PAGE_FAULT_E) ? 0 : TIERCEL_TP_PAGE_FAULT);
    options.syscalls = false;
    Source source(options);
    Traced traced;
    traced.child = fork();
    if (traced.child == 0) {
        *static_cast<volatile char*>(traced.page + 17) = 1;
        for (int i = 0; i < 5; ++i)
            usleep(20'000);
        _exit(0);
    }
    bool last = false;
    while (!last) {
        last = waitpid(static_cast<pid_t>(traced.child), nullptr, WNOHANG) == traced.child;
        source.drain([&](EventBytes bytes, unsigned) {
            if (EventView::parse(bytes)->tid() == traced.child)
                traced.events.push_back(std::move(bytes));
        });
    }
    return traced;
}

// The tests share one source, because an emulated machine takes 20 s to verify a probe.
const Traced& traced_once() {
    static const Traced kTraced = trace();
    return kTraced;
}

} // namespace

LIVE_TEST(SCHEDSWITCH_6_E) {
    if (const auto gap = declared_gap(SCHEDSWITCH_6_E)) {
        expect_refused(TIERCEL_TP_SWITCH);
        LIVE_SKIP(std::string(*gap), SCHEDSWITCH_6_E);
    }
    const auto& [page, child, events] = traced_once();
    int switches = 0;
    std::uint64_t faults = 0;
    for (const EventBytes& bytes : events) {
        const auto view = EventView::parse(bytes);
        if (view->code() != SCHEDSWITCH_6_E ||
            *view->number<std::uint32_t>(3) == 0) // once more at its end, without memory
            continue;
        const WantParam wants[] = {{"next", at_least(0)},
                                   {"pgft_maj", at_least(0)},
                                   {"pgft_min", at_least(0)},
                                   {"vm_size", between(100, 1U << 30)},
                                   {"vm_rss", between(0, 1U << 24)},
                                   {"vm_swap", between(0, 1U << 24)}};
        expect_params(*view, wants);
        CHECK(view->number<std::int64_t>(0) != child);
        faults = std::max(faults, *view->number<std::uint64_t>(2));
        ++switches;
    }
    CHECK(faults > 0);    // the first switch can come before the first fault
    CHECK(switches >= 5); // each sleep gives the processor away
}

LIVE_TEST(PAGE_FAULT_E) {
    if (const auto gap = declared_gap(PAGE_FAULT_E)) {
        expect_refused(TIERCEL_TP_PAGE_FAULT);
        LIVE_SKIP(std::string(*gap), PAGE_FAULT_E);
    }
    const auto& [page, child, events] = traced_once();
    int faults = 0;
    for (const EventBytes& bytes : events) {
        const auto view = EventView::parse(bytes);
        if (view->code() != PAGE_FAULT_E || view->number<std::int64_t>(0) != as_argument(page + 17))
            continue;
        const auto ip = static_cast<long>(*view->number<std::uint64_t>(1));
        const WantParam wants[] = {{"addr", as_argument(page + 17)},
                                   {"ip", kNonzero},
                                   {"error", 2 | 4 | 16}}; // absent, write, user
        expect_params(*view, wants);
        CHECK((ip > 0 && ip < 0x7fffffffffff));
        ++faults;
    }
    CHECK(faults == 1);
}

} // namespace tiercel::live
