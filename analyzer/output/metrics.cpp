// SPDX-License-Identifier: Apache-2.0
#include "analyzer/output/metrics.h"

#include "analyzer/output/escape.h"

namespace tiercel::output {

namespace {

enum class Type : std::uint8_t { counter, gauge };

// A label's value: backslash, quote and newline are escaped; a rule's name may have any of them.
std::string label(std::string_view text) {
    std::string escaped;
    for (const char c : text) {
        if (c == '\\' || c == '"')
            escaped += '\\';
        c == '\n' ? escaped += "\\n" : escaped += c;
    }
    return escaped;
}

// One metric: its head, then its samples.
class Family {
  public:
    Family(Buffer& out, Type type, std::string_view name, std::string_view help)
        : out_(out), name_(name) {
        fmt::format_to(fmt::appender(out), "# HELP {} {}\n# TYPE {} {}\n", name, help, name,
                       type == Type::counter ? "counter" : "gauge");
    }
    template <typename Value>
    void sample(const Value& value) {
        fmt::format_to(fmt::appender(out_), "{} {}\n", name_, value);
    }
    // `labels` as they stand between the braces, their values escaped.
    template <typename Value>
    void sample(std::string_view labels, const Value& value) {
        fmt::format_to(fmt::appender(out_), "{}{{{}}} {}\n", name_, labels, value);
    }

  private:
    Buffer& out_;
    std::string_view name_;
};

double seconds(std::uint64_t ns) {
    return static_cast<double>(ns) / 1e9;
}

void append_drops(Buffer& out, const ring::Counters& counters) {
    Family drops(out, Type::counter, "tiercel_drops_total",
                 "Events that the probe had to discard, by CPU and reason.");
    for (std::uint32_t cpu = 0; cpu < counters.cpus(); ++cpu) {
        const ring::CpuCounts counts = counters.of(cpu);
        for (std::size_t reason = 0; reason < counts.drops.size(); ++reason)
            if (const std::string_view name = ring::drop_name(reason); !name.empty())
                drops.sample(fmt::format(R"(cpu="{}",reason="{}")", cpu, name),
                             counts.drops[reason]);
    }
}

// The kernel side. As in Falco, n_evts counts what the probe saw, dropped or not.
void append_probe(Buffer& out, const ring::Counters& counters) {
    const ring::CpuCounts all = counters.total();
    Family(out, Type::counter, "falcosecurity_scap_n_evts_total", "Events that the probe saw.")
        .sample(all.events + all.dropped());
    Family(out, Type::counter, "falcosecurity_scap_n_drops_total", "Events that it discarded.")
        .sample(all.dropped());
    Family(out, Type::counter, "falcosecurity_scap_n_drops_buffer_total",
           "Those for want of room in a ring.")
        .sample(all.drops[TIERCEL_DROP_RING_FULL]);
    Family(out, Type::counter, "falcosecurity_scap_n_drops_scratch_map_total",
           "Those that did not fit the probe's scratch area.")
        .sample(all.drops[TIERCEL_DROP_TOO_LONG]);
    Family seen(out, Type::counter, "falcosecurity_scap_n_evts_cpu_total",
                "Events that the probe saw, by CPU.");
    for (std::uint32_t cpu = 0; cpu < counters.cpus(); ++cpu)
        seen.sample(fmt::format(R"(cpu="{}")", cpu),
                    counters.of(cpu).events + counters.of(cpu).dropped());
    Family dropped(out, Type::counter, "falcosecurity_scap_n_drops_cpu_total",
                   "Events that it discarded, by CPU.");
    for (std::uint32_t cpu = 0; cpu < counters.cpus(); ++cpu)
        dropped.sample(fmt::format(R"(cpu="{}")", cpu), counters.of(cpu).dropped());
    append_drops(out, counters);
}

void append_rings(Buffer& out, const ring::RingSet& rings) {
    Family(out, Type::gauge, "tiercel_ring_bytes", "Size of each ring.").sample(rings.ring_bytes());
    Family(out, Type::gauge, "tiercel_ring_fullest_bytes",
           "What the fullest ring held when it was last read.")
        .sample(rings.fullest());
    Family most(out, Type::gauge, "tiercel_ring_most_bytes", "What a ring held at its fullest.");
    for (std::size_t ring = 0; ring < rings.size(); ++ring)
        most.sample(fmt::format(R"(ring="{}")", ring), rings.of(ring).most);
    Family(out, Type::counter, "tiercel_events_out_of_order_total",
           "Events whose time was before that of one taken earlier.")
        .sample(rings.late());
    Family(out, Type::counter, "tiercel_records_not_understood_total",
           "Records of the rings that were no event.")
        .sample(rings.unparsed());
}

void append_rules(Buffer& out, const Metrics& metrics) {
    Family matches(out, Type::counter, "falcosecurity_falco_rules_matches_total",
                   "How often each rule matched.");
    for (const Metrics::Rule& rule : metrics.rules)
        matches.sample(fmt::format(R"(priority="{}",rule_name="{}",source="{}")", rule.priority,
                                   label(rule.name), label(rule.source)),
                       rule.matches);
}

void append_queues(Buffer& out, const Metrics& metrics) {
    std::uint64_t lost = 0;
    Family waiting(out, Type::gauge, "tiercel_output_queue_lines",
                   "Lines that wait for an output.");
    for (const Metrics::Queue& queue : metrics.queues) {
        waiting.sample(fmt::format(R"(output="{}")", label(queue.name)), queue.waiting);
        lost += queue.discarded;
    }
    Family lines(out, Type::counter, "tiercel_output_lines_total",
                 "Lines by output, and what became of them.");
    for (const Metrics::Queue& queue : metrics.queues) {
        const auto sample = [&](std::string_view result, std::uint64_t count) {
            lines.sample(fmt::format(R"(output="{}",result="{}")", label(queue.name), result),
                         count);
        };
        sample("written", queue.written);
        sample("discarded", queue.discarded);
        sample("failed", queue.failed);
    }
    Family(out, Type::counter, "falcosecurity_falco_outputs_queue_num_drops_total",
           "Lines that found an output's queue full.")
        .sample(lost);
}

void append_process(Buffer& out, const Metrics& metrics) {
    Family(out, Type::counter, "falcosecurity_falco_duration_seconds_total",
           "Time since the session began.")
        .sample(seconds(metrics.ns));
    Family(out, Type::gauge, "falcosecurity_falco_memory_rss_bytes", "Resident memory.")
        .sample(metrics.rss_bytes);
    Family(out, Type::counter, "tiercel_cpu_seconds_total", "Processor time used.")
        .sample(seconds(metrics.cpu_ns));
    Family(out, Type::counter, "tiercel_events_total", "Events that rules were matched on.")
        .sample(metrics.events);
    Family(out, Type::gauge, "tiercel_lag_seconds",
           "From the last event to the moment when it was taken.")
        .sample(seconds(metrics.lag_ns));
    const state::Counters& counters = metrics.engine.counters();
    Family(out, Type::gauge, "tiercel_threads", "Threads in the table.")
        .sample(metrics.engine.thread_count());
    Family(out, Type::counter, "tiercel_threads_evicted_total", "Threads that had to make room.")
        .sample(counters.evicted_threads);
    Family(out, Type::counter, "tiercel_fds_refused_total",
           "Descriptors that were given up because their process has too many.")
        .sample(counters.refused_fds);
    Family(out, Type::counter, "tiercel_tables_forgotten_total",
           "Tables of files of idle processes that were given up to save memory.")
        .sample(counters.forgotten_tables);
    Family(out, Type::gauge, "tiercel_state_bytes", "Memory of the tables of processes and files.")
        .sample(state::StateTracker::memory());
}

// Nothing without an enricher.
void append_containers(Buffer& out, const state::Containers& containers) {
    if (!containers.asked())
        return;
    const auto& counters = containers.counters();
    Family(out, Type::counter, "tiercel_containers_told_total",
           "Containers that a runtime told of.")
        .sample(counters.told);
    Family(out, Type::counter, "tiercel_containers_unanswered_total",
           "Containers that no runtime knew, or none could be asked about.")
        .sample(counters.unanswered);
    Family(out, Type::counter, "tiercel_containers_passed_over_total",
           "Containers that were met while too many waited to be asked about.")
        .sample(counters.passed_over);
}

} // namespace

void append_metrics(Buffer& out, const Metrics& metrics) {
    Family(out, Type::gauge, "tiercel_version_info", "The analyzer's version.")
        .sample(R"(version=")" TIERCEL_VERSION R"(")", 1);
    Family(out, Type::gauge, "falcosecurity_scap_engine_name_info", "The driver.")
        .sample(fmt::format(R"(engine_name="{}",evt_source="syscall")", metrics.driver), 1);
    append_process(out, metrics);
    append_containers(out, metrics.engine.containers());
    if (metrics.live) {
        append_probe(out, metrics.live->counters);
        append_rings(out, metrics.live->rings);
    }
    append_rules(out, metrics);
    append_queues(out, metrics);
}

} // namespace tiercel::output
