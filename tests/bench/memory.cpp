// SPDX-License-Identifier: Apache-2.0
//
// Memory of what the analyzer knows: of 100,000 processes with ten files each, and after they have
// ended. The events are made up, because a test machine cannot run as many processes.
#include <fmt/core.h>
#include <malloc.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

#include "analyzer/state/state_tracker.h"
#include "tests/bench/machine.h"
#include "tests/unit/state/event_builder.h"

namespace tiercel::bench {
namespace {

using test::EventBuilder;

constexpr std::int64_t kProcesses = 100'000, kFiles = 10, kFirst = 1000;

struct Sizes { // KiB, resident
    long before, full, after;
    std::size_t threads, fds, left;
};

long rss_kib() {
    long pages = 0, resident = 0;
    if (FILE* statm = std::fopen("/proc/self/statm", "r")) {
        if (std::fscanf(statm, "%ld %ld", &pages, &resident) != 2)
            resident = 0;
        std::fclose(statm);
    }
    return resident * sysconf(_SC_PAGESIZE) / 1024;
}

// A server starts a process, which opens its files: half are shared by all, half are its own.
void start_process(state::StateTracker& state, std::int64_t pid) {
    EventBuilder clone(event::SYSCALL_CLONE_20_X);
    clone.tid(static_cast<std::uint64_t>(pid)).i64(0).text("server").bytes("--worker");
    clone.i64(pid).i64(pid).i64(kFirst).text("/").i64(1024).u64(0).u64(0).u32(0).u32(0).u32(0);
    clone.text("server").bytes("/system.slice/server.service").u32(0).u32(33).u32(33);
    state.apply(clone.i64(pid).i64(pid).u64(0).view(), 0);
    for (std::int64_t fd = 0; fd < kFiles; ++fd) {
        EventBuilder open(event::SYSCALL_OPEN_X);
        const std::int64_t file = fd % 2 == 0 ? fd : pid * kFiles + fd;
        open.tid(static_cast<std::uint64_t>(pid)).i64(fd).text(fmt::format("/srv/data/{}", file));
        state.apply(open.u32(1).u32(0).u32(0).u64(0).view(), 0);
    }
}

void end_process(state::StateTracker& state, std::int64_t pid) {
    EventBuilder exit(event::PROCEXIT_1_E);
    state.apply(exit.tid(static_cast<std::uint64_t>(pid)).i64(0).i64(0).u8(0).u8(0).view(), 0);
}

void measure(Sizes& sizes) {
    state::StateTracker state;
    start_process(state, kFirst);
    start_process(state, kFirst + 1);
    sizes.before = rss_kib();
    for (std::int64_t i = 2; i < kProcesses; ++i)
        start_process(state, kFirst + i);
    sizes.full = rss_kib();
    sizes.threads = state.thread_count();
    state.for_each_thread([&](const state::Thread& t) { sizes.fds += t.process->fds->size(); });
    for (std::int64_t i = 2; i < kProcesses; ++i)
        end_process(state, kFirst + i);
    state.settle();
    sizes.after = rss_kib();
    sizes.left = state.thread_count();
}

} // namespace

void memory(Report& report) {
    auto* sizes = static_cast<Sizes*>(shared_memory(sizeof(Sizes)));
    const pid_t child = fork(); // whose memory is not what other figures left
    if (child == 0) {
        measure(*sizes);
        _exit(0);
    }
    waitpid(child, nullptr, 0);
    const double mib = static_cast<double>(sizes->full - sizes->before) / 1024.0;
    const bool whole = sizes->threads == kProcesses && sizes->fds == kProcesses * kFiles;
    report.figure(fmt::format("(h) {} processes with {} files", sizes->threads, sizes->fds),
                  fmt::format("{:.0f} MiB", mib), "<= 200 MiB", whole && mib <= 200);
    const double share = static_cast<double>(sizes->after) / static_cast<double>(sizes->before);
    report.figure("(h) after they have ended, of what it was before",
                  fmt::format("{:.2f} times", share), "<= 1.3 times",
                  sizes->left == 2 && share <= 1.3);
    munmap(sizes, sizeof(Sizes));
}

} // namespace tiercel::bench
