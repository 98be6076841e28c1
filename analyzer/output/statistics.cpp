// SPDX-License-Identifier: Apache-2.0
#include "analyzer/output/statistics.h"

#include "analyzer/output/append.h"

namespace tiercel::output {

namespace {

double milliseconds(std::uint64_t ns) {
    return static_cast<double>(ns) / 1e6;
}

// "3 ring full, 1 too long"
void append_drops(Buffer& out, const ring::CpuCounts& counts) {
    bool first = true;
    for (std::size_t reason = 0; reason < counts.drops.size(); ++reason) {
        if (counts.drops[reason] == 0)
            continue;
        const std::string_view name = ring::drop_name(reason);
        fmt::format_to(fmt::appender(out), "{}{} {}", first ? "" : ", ", counts.drops[reason],
                       name.empty() ? "for a reason without name" : name);
        first = false;
    }
}

void append_filtered(Buffer& out, const ring::CpuCounts& counts) {
    if (counts.filtered > 0)
        fmt::format_to(fmt::appender(out), ", {} filtered in the kernel", counts.filtered);
}

void append_cpus(Buffer& out, const ring::Counters& counters) {
    for (std::uint32_t cpu = 0; cpu < counters.cpus(); ++cpu) {
        const ring::CpuCounts counts = counters.of(cpu);
        if (counts.events == 0 && counts.dropped() == 0 && counts.filtered == 0)
            continue;
        fmt::format_to(fmt::appender(out), "analyzer:   cpu {}: {} events, {} dropped", cpu,
                       counts.events, counts.dropped());
        if (counts.dropped() > 0) {
            append(out, " (");
            append_drops(out, counts);
            append(out, ")");
        }
        append_filtered(out, counts);
        out.push_back('\n');
    }
}

void append_rings(Buffer& out, const ring::RingSet& rings) {
    for (std::size_t i = 0; i < rings.size(); ++i) {
        const auto ring = rings.of(i);
        fmt::format_to(fmt::appender(out),
                       "analyzer:   ring {}: {} events, at most {} of {} KiB in use", i,
                       ring.events, ring.most >> 10, rings.ring_bytes() >> 10);
        if (ring.discarded > 0)
            fmt::format_to(fmt::appender(out), ", {} discarded by the probe", ring.discarded);
        if (ring.lost > 0)
            fmt::format_to(fmt::appender(out), ", {} found no room", ring.lost);
        if (ring.damaged > 0)
            fmt::format_to(fmt::appender(out), ", damaged {} times ({} bytes)", ring.damaged,
                           ring.damaged_bytes);
        out.push_back('\n');
    }
}

void append_tables(Buffer& out, const Statistics& s) {
    std::size_t fds = 0;
    s.engine.for_each_thread([&](const state::Thread& thread) {
        if (thread.is_leader() && thread.process != nullptr && thread.process->fds != nullptr)
            fds += thread.process->fds->size();
    });
    const fmt::appender to(out);
    const state::Counters& counters = s.engine.counters();
    fmt::format_to(to, "analyzer:   tables: {} threads, {} fds", s.engine.thread_count(), fds);
    if (s.live)
        fmt::format_to(to, " ({} threads and {} fds at the start)", s.live->initial_threads,
                       s.live->initial_fds);
    fmt::format_to(to, "; {} threads evicted, {} fds refused, {} threads met unannounced\n",
                   counters.evicted_threads, counters.refused_fds, counters.placeholders);
}

void append_dropped(Buffer& out, const ring::CpuCounts& total) {
    fmt::format_to(fmt::appender(out), "; {} dropped", total.dropped());
    if (total.dropped() > 0) {
        append(out, ": ");
        append_drops(out, total);
    }
}

void append_session(Buffer& out, const LiveStatistics& live) {
    const fmt::appender to(out);
    fmt::format_to(to, "analyzer:   load and attach {:.1f} ms", milliseconds(live.load_ns));
    if (live.first_event_ns)
        fmt::format_to(to, ", first event {:.1f} ms after the load began",
                       milliseconds(*live.first_event_ns));
    out.push_back('\n');
    append_cpus(out, live.counters);
    append_rings(out, live.rings);
    fmt::format_to(to,
                   "analyzer:   {} records not understood, {} events out of order, {} lost in the "
                   "tables at the start\n",
                   live.rings.unparsed(), live.rings.late(), live.iterator_losses);
}

} // namespace

void append_statistics(Buffer& out, const Statistics& s) {
    const fmt::appender to(out);
    const double seconds = static_cast<double>(s.ns) / 1e9;
    fmt::format_to(to, "analyzer: {} events in {:.2f} s ({:.0f}/s)", s.events, seconds,
                   seconds > 0 ? static_cast<double>(s.events) / seconds : 0.0);
    if (s.live) {
        append_dropped(out, s.live->counters.total());
        append_filtered(out, s.live->counters.total());
    }
    out.push_back('\n');
    if (s.live)
        append_session(out, *s.live);
    append_tables(out, s);
    fmt::format_to(to, "analyzer:   confined by seccomp, {}no capability, uid {}\n",
                   s.landlock_abi > 0 ? fmt::format("Landlock (ABI {}), ", s.landlock_abi) : "",
                   s.uid);
}

} // namespace tiercel::output
