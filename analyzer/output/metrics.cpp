// SPDX-License-Identifier: Apache-2.0
#include "analyzer/output/metrics.h"

#include "analyzer/output/append.h"
#include "shared/escape/escape.h"
#include "shared/wire/capabilities.h"
#include "shared/wire/client.h"

namespace tiercel::output {

namespace {

enum class Metric : std::uint8_t {
#define METRIC(id, ...) id,
#include "analyzer/output/metrics.def"
#undef METRIC
};

struct Row {
    std::string_view type, name, help;
};

constexpr Row kRows[] = {
#define METRIC(id, type, name, unit, help) {#type, name, help},
#include "analyzer/output/metrics.def"
#undef METRIC
};

// A label's value: text as every output shows it, whose backslashes and quotes the format of
// Prometheus wants escaped once more.
std::string label(std::string_view text) {
    std::string escaped;
    for (const char c : escape::as_text(text)) {
        if (c == '\\' || c == '"')
            escaped += '\\';
        escaped += c;
    }
    return escaped;
}

// One metric: its head, then its samples.
class Family {
  public:
    Family(Buffer& out, Metric metric)
        : out_(out), name_(kRows[static_cast<std::size_t>(metric)].name) {
        const Row& row = kRows[static_cast<std::size_t>(metric)];
        fmt::format_to(fmt::appender(out), "# HELP {} {}\n# TYPE {} {}\n", name_, row.help, name_,
                       row.type);
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
    Family drops(out, Metric::drops_total);
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
    Family(out, Metric::scap_n_evts_total).sample(all.events + all.dropped());
    Family(out, Metric::scap_n_drops_total).sample(all.dropped());
    Family(out, Metric::scap_n_drops_buffer_total).sample(all.drops[TIERCEL_DROP_RING_FULL]);
    Family(out, Metric::scap_n_drops_scratch_map_total).sample(all.drops[TIERCEL_DROP_TOO_LONG]);
    Family seen(out, Metric::scap_n_evts_cpu_total);
    for (std::uint32_t cpu = 0; cpu < counters.cpus(); ++cpu)
        seen.sample(fmt::format(R"(cpu="{}")", cpu),
                    counters.of(cpu).events + counters.of(cpu).dropped());
    Family dropped(out, Metric::scap_n_drops_cpu_total);
    for (std::uint32_t cpu = 0; cpu < counters.cpus(); ++cpu)
        dropped.sample(fmt::format(R"(cpu="{}")", cpu), counters.of(cpu).dropped());
    append_drops(out, counters);
    Family filtered(out, Metric::filtered_total);
    for (std::uint32_t cpu = 0; cpu < counters.cpus(); ++cpu)
        filtered.sample(fmt::format(R"(cpu="{}")", cpu), counters.of(cpu).filtered);
}

void append_rings(Buffer& out, const ring::RingSet& rings) {
    Family(out, Metric::ring_bytes).sample(rings.ring_bytes());
    Family(out, Metric::ring_fullest_bytes).sample(rings.fullest());
    Family most(out, Metric::ring_most_bytes);
    for (std::size_t ring = 0; ring < rings.size(); ++ring)
        most.sample(fmt::format(R"(ring="{}")", ring), rings.of(ring).most);
    Family(out, Metric::events_out_of_order_total).sample(rings.late());
    Family(out, Metric::records_not_understood_total).sample(rings.unparsed());
}

// What a restart goes on with, and what the load has cost in privilege.
void append_load(Buffer& out, const LiveStatistics& live) {
    Family(out, Metric::records_skipped_total).sample(live.skipped);
    Family(out, Metric::own_events_total).sample(live.own_events);
    Family(out, Metric::lost_events_total).sample(live.lost_events);
    Family(out, Metric::probe_readers).sample(live.readers);
    Family held(out, Metric::capability_seconds);
    for (const wire::CapabilityRow& row : wire::kCapabilityTable)
        held.sample(fmt::format(R"(capability="{}")", row.name),
                    seconds(wire::client::held_ns(live.held, row.number)));
}

void append_rules(Buffer& out, const Metrics& metrics) {
    Family matches(out, Metric::rules_matches_total);
    for (const Metrics::Rule& rule : metrics.rules)
        matches.sample(fmt::format(R"(priority="{}",rule_name="{}",source="{}")", rule.priority,
                                   label(rule.name), label(rule.source)),
                       rule.matches);
}

void append_queues(Buffer& out, const Metrics& metrics) {
    std::uint64_t lost = 0;
    Family waiting(out, Metric::output_queue_lines);
    for (const Metrics::Queue& queue : metrics.queues) {
        waiting.sample(fmt::format(R"(output="{}")", label(queue.name)), queue.waiting);
        lost += queue.discarded;
    }
    Family lines(out, Metric::output_lines_total);
    for (const Metrics::Queue& queue : metrics.queues) {
        const auto sample = [&](std::string_view result, std::uint64_t count) {
            lines.sample(fmt::format(R"(output="{}",result="{}")", label(queue.name), result),
                         count);
        };
        sample("written", queue.written);
        sample("discarded", queue.discarded);
        sample("failed", queue.failed);
    }
    Family(out, Metric::outputs_queue_num_drops_total).sample(lost);
}

// A courier that is not connected has no samples, so that its families do not appear.
void append_destinations(Buffer& out, const Metrics& metrics) {
    if (metrics.destinations.empty())
        return;
    using Destination = Metrics::Destination;
    const auto of = [](const Destination& destination) {
        return fmt::format(R"(destination="{}")", label(destination.name));
    };
    Family alerts(out, Metric::courier_alerts_total);
    for (const Destination& destination : metrics.destinations) {
        const auto sample = [&](std::string_view result, std::uint64_t count) {
            alerts.sample(fmt::format(R"({},result="{}")", of(destination), result), count);
        };
        sample("sent", destination.sent);
        sample("failed", destination.failed);
        sample("dropped", destination.dropped);
    }
    const auto each = [&](Metric metric, const auto& value) {
        Family family(out, metric);
        for (const Destination& destination : metrics.destinations)
            family.sample(of(destination), value(destination));
    };
    each(Metric::courier_retries_total, [](const Destination& d) { return d.retried; });
    each(Metric::courier_spooled_bytes, [](const Destination& d) { return d.spooled_bytes; });
    each(Metric::courier_oldest_age_seconds,
         [](const Destination& d) { return d.oldest_age_seconds; });
    each(Metric::courier_connected,
         [](const Destination& d) { return std::uint64_t{d.connected}; });
}

void append_process(Buffer& out, const Metrics& metrics) {
    Family(out, Metric::duration_seconds_total).sample(seconds(metrics.ns));
    Family(out, Metric::memory_rss_bytes).sample(metrics.rss_bytes);
    Family(out, Metric::cpu_seconds_total).sample(seconds(metrics.cpu_ns));
    Family(out, Metric::events_total).sample(metrics.events);
    Family(out, Metric::lag_seconds).sample(seconds(metrics.lag_ns));
    const state::Counters& counters = metrics.engine.counters();
    Family(out, Metric::threads).sample(metrics.engine.thread_count());
    Family(out, Metric::threads_evicted_total).sample(counters.evicted_threads);
    Family(out, Metric::fds_refused_total).sample(counters.refused_fds);
    Family(out, Metric::tables_forgotten_total).sample(counters.forgotten_tables);
    Family(out, Metric::state_bytes).sample(state::StateTracker::memory());
}

// Nothing without an enricher.
void append_containers(Buffer& out, const state::Containers& containers) {
    if (!containers.asked())
        return;
    const auto& counters = containers.counters();
    Family(out, Metric::containers_told_total).sample(counters.told);
    Family(out, Metric::containers_unanswered_total).sample(counters.unanswered);
    Family(out, Metric::containers_passed_over_total).sample(counters.passed_over);
}

} // namespace

void append_metrics(Buffer& out, const Metrics& metrics) {
    Family(out, Metric::version_info).sample(R"(version=")" TIERCEL_VERSION R"(")", 1);
    Family(out, Metric::scap_engine_name_info)
        .sample(fmt::format(R"(engine_name="{}",evt_source="syscall")", metrics.driver), 1);
    append_process(out, metrics);
    append_containers(out, metrics.engine.containers());
    if (metrics.live) {
        append_probe(out, metrics.live->counters);
        append_rings(out, metrics.live->rings);
        append_load(out, *metrics.live);
    }
    append_rules(out, metrics);
    Family(out, Metric::rules_reloads_refused_total).sample(metrics.reloads_refused);
    append_queues(out, metrics);
    append_destinations(out, metrics);
}

Metrics::Destination destination_of(const wire::courier::State& state) {
    return {.name = state.name,
            .sent = state.sent,
            .failed = state.failed,
            .dropped = state.dropped,
            .retried = state.retried,
            .spooled_bytes = state.spooled_bytes,
            .oldest_age_seconds = state.oldest_age_seconds,
            .connected = state.connected != 0};
}

std::string state_text(const Metrics::Destination& destination) {
    std::string text = destination.name;
    if (destination.connected)
        text += ": connected";
    else if (destination.retried > 0)
        text += ": not connected";
    else
        text += ": no attempt yet";
    text += fmt::format(", {} sent", destination.sent);
    if (destination.failed > 0)
        text += fmt::format(", {} refused", destination.failed);
    if (destination.dropped > 0)
        text += fmt::format(", {} dropped", destination.dropped);
    if (destination.spooled_bytes > 0)
        text += fmt::format(", {} bytes wait in the spool, the oldest alert for {} s",
                            destination.spooled_bytes, destination.oldest_age_seconds);
    return text;
}

} // namespace tiercel::output
