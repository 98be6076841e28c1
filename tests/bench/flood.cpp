// SPDX-License-Identifier: Apache-2.0
//
// More than the machine can take, from every CPU: how many events a second are held, and whether
// the drop counters tell exactly what is missing. Each flooding syscall carries its sequence number
// as an argument. The counters count the whole machine: other programs hardly make that call, but
// the probe also captures each start and end of a process. A second probe counts these alone.
#include <fmt/core.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "analyzer/ring/bpf_ring.h"
#include "analyzer/ring/ring_set.h"
#include "kernel/common/abi.h"
#include "shared/event/params.h"
#include "tests/bench/machine.h"

namespace tiercel::bench {
namespace {

constexpr int kNobody = -1; // a descriptor that does not exist: the syscall does nothing but return

// What the flooding process shows its reader: two threads, their ids and how much they sent.
struct Flooders {
    std::atomic<std::uint64_t> tids[2], sent[2];
    std::atomic<int> ready, done, released;
};

// listen(-1, n) for n = 0, 1, ... below `calls`.
void flood_from(Flooders& shown, int t, std::uint64_t calls) {
    pin_to_cpu(t);
    shown.tids[t] = static_cast<std::uint64_t>(syscall(SYS_gettid));
    for (++shown.ready; shown.ready < 2;) {
    }
    for (std::uint64_t n = 0; n < calls; ++n)
        syscall(SYS_listen, kNobody, static_cast<int>(n));
    shown.sent[t] = calls;
    ++shown.done;
    while (!shown.released) // its own end would be one more event, and one more drop
        usleep(1000);
}

// A process of its own, because the probe leaves out what its reader itself does.
pid_t start_flood(Flooders& shown, std::uint64_t calls) {
    const pid_t pid = fork();
    if (pid != 0)
        return pid;
    std::thread other([&] { flood_from(shown, 1, calls); });
    flood_from(shown, 0, calls);
    other.join();
    _exit(0);
}

struct Seen {
    std::uint64_t events = 0, missing = 0, disorder = 0;
    std::uint64_t next[2] = {}; // expected sequence number of each flooding thread
};

// Sequence numbers rise within a thread; what is skipped was dropped.
void see(Seen& seen, const event::EventView& view, const Flooders& shown) {
    if (view.code() != event::SOCKET_LISTEN_X)
        return;
    const auto sequence = view.number<std::uint32_t>(event::param::SOCKET_LISTEN_X::backlog);
    for (int t = 0; t < 2; ++t) {
        if (view.raw_tid() != shown.tids[t] || !sequence)
            continue;
        ++seen.events;
        if (*sequence < seen.next[t])
            ++seen.disorder;
        else
            seen.missing += *sequence - seen.next[t];
        seen.next[t] = *sequence + 1;
    }
}

struct Counted {
    std::uint64_t events = 0, dropped = 0;
};

Counted counted(const Probe& probe) {
    const std::size_t bytes = sizeof(tiercel_cpu_counters) * probe.session.reply.cpus;
    void* at = mmap(nullptr, bytes, PROT_READ, MAP_SHARED, probe.session.counters[0].get(), 0);
    if (at == MAP_FAILED)
        return {};
    Counted sum;
    for (std::uint32_t cpu = 0; cpu < probe.session.reply.cpus; ++cpu) {
        const auto& counters = static_cast<const tiercel_cpu_counters*>(at)[cpu];
        sum.events += counters.events;
        for (std::uint64_t reason : counters.drops)
            sum.dropped += reason;
    }
    munmap(at, bytes);
    return sum;
}

struct Outcome {
    Seen seen;
    std::uint64_t sent = 0, dropped = 0;
    std::uint64_t others = 0; // dropped, but not of the flood
    // Whether the counters tell what is missing. Both probes are not read at the same moment.
    bool is_exact() const {
        constexpr std::uint64_t kMeanwhile = 8;
        return dropped >= seen.missing && dropped <= seen.missing + others + kMeanwhile &&
               dropped + kMeanwhile >= seen.missing + others;
    }
    double seconds = 0;
};

// Two flooding threads on both CPUs, the reader on either; `reading` false: the reader comes
// afterwards.
Outcome run(const std::string& bin, std::uint64_t calls, bool reading) {
    wire::Request request = request_for({SYS_listen});
    Probe probe = start_probe(bin, request);
    auto rings =
        ring::RingSet::map<ring::BpfRing>(probe.session.rings, probe.session.reply.ring_bytes);
    Outcome outcome;
    const Probe quiet = start_probe(bin, request_for({}));
    const Counted before = counted(probe), others_before = counted(quiet);
    auto& shown = *new (shared_memory(sizeof(Flooders))) Flooders{};
    auto take = [&](const ring::RingEvent& event) {
        see(outcome.seen, event.view, shown);
        return true;
    };
    const double start = now_ns();
    const pid_t flooders = start_flood(shown, calls);
    while (shown.done < 2) {
        if (reading)
            rings->batch(take);
        else
            usleep(1000);
    }
    outcome.seconds = (now_ns() - start) / 1e9;
    const Counted after = counted(probe);
    outcome.dropped = after.dropped - before.dropped;
    outcome.others = counted(quiet).events - others_before.events;
    while (rings->batch(take) > 0) {
    }
    shown.released = 1;
    waitpid(flooders, nullptr, 0);
    outcome.others -= after.events - before.events - outcome.seen.events;
    for (int t = 0; t < 2; ++t) { // what is missing behind the last one seen
        outcome.seen.missing += shown.sent[t] - outcome.seen.next[t];
        outcome.sent += shown.sent[t];
    }
    munmap(&shown, sizeof(Flooders));
    return outcome;
}

} // namespace

void flood(const std::string& bin, Report& report) {
    const Outcome held = run(bin, 1'000'000, true);
    report.note(
        fmt::format("flood from both CPUs with a reader: {:.0f} events/s read, {} of {} dropped",
                    static_cast<double>(held.seen.events) / held.seconds, held.dropped, held.sent));
    report.figure(
        "(e) drops counted, flood with a reader",
        fmt::format("{} of {} and {} of others", held.dropped, held.seen.missing, held.others),
        "equal", held.is_exact() && held.seen.disorder == 0);
    const Outcome full = run(bin, 1'000'000, false);
    report.figure(
        "(e) drops counted, flood larger than the rings",
        fmt::format("{} of {} and {} of others", full.dropped, full.seen.missing, full.others),
        "equal, > 0", full.is_exact() && full.dropped > 0);
}

} // namespace tiercel::bench
