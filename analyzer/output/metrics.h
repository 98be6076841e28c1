// SPDX-License-Identifier: Apache-2.0
//
// Metrics: the state of a running analyzer in Prometheus' text format (0.0.4). A metric has Falco's
// name where it means the same as Falco's, so that its dashboards and alarms go on working; the
// others begin with tiercel_.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "analyzer/output/statistics.h"

namespace tiercel::output {

// Everything is lent.
struct Metrics {
    struct Rule {
        std::string_view name, priority, source;
        std::uint64_t matches;
    };
    struct Queue { // before an output
        std::string name;
        std::uint64_t waiting, written, discarded, failed; // lines
    };
    const state::StateTracker& engine;
    std::uint64_t events;               // that the pipeline took
    std::uint64_t ns;                   // since the session began
    std::optional<LiveStatistics> live; // nothing: a capture is replayed
    std::string_view driver;            // as Falco's engine.kind names it
    std::vector<Rule> rules;
    std::vector<Queue> queues;
    std::uint64_t lag_ns;    // from the last event to when it was taken
    std::uint64_t rss_bytes; // 0: not known
    std::uint64_t cpu_ns;    // processor time of this process
};

void append_metrics(Buffer& out, const Metrics& metrics);

} // namespace tiercel::output
