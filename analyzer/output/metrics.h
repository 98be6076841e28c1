// SPDX-License-Identifier: Apache-2.0
//
// Metrics: the values of a running analyzer in Prometheus' text format (0.0.4). Their names, types
// and help texts are in metrics.def.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "analyzer/output/statistics.h"
#include "shared/wire/courier.h"

namespace tiercel::output {

// The references must outlive the call.
struct Metrics {
    struct Rule {
        std::string_view name, priority, source;
        std::uint64_t matches = 0;
    };
    struct Queue { // in front of an output
        std::string name;
        std::uint64_t waiting = 0, written = 0, discarded = 0, failed = 0; // lines
        int error = 0; // errno that keeps the output from taking alerts now; 0: none
    };
    struct Destination { // of the courier
        std::string name;
        std::uint64_t sent = 0, failed = 0, dropped = 0, retried = 0, spooled_bytes = 0;
        std::uint64_t oldest_age_seconds = 0;
        bool connected = false;
    };
    const state::StateTracker& engine;
    std::uint64_t events = 0;             // taken by the pipeline
    std::uint64_t ns = 0;                 // since the session began
    std::optional<LiveStatistics> live{}; // nothing if a capture is replayed
    std::string_view driver{};            // Falco's engine name
    std::vector<Rule> rules{};
    std::vector<Queue> queues{};
    std::vector<Destination> destinations{};
    std::uint64_t lag_ns = 0;             // from the last event to when it was taken
    std::uint64_t rss_bytes = 0;          // 0: not known
    std::uint64_t cpu_ns = 0;             // processor time of this process
    std::uint64_t reloads_refused = 0;    // rules that were read again, and were wrong
    double event_rate = 0, drop_rate = 0; // a second, in the last ten; live only
};

void append_metrics(Buffer& out, const Metrics& metrics);

// Returns what the courier tells of one of its destinations.
Metrics::Destination destination_of(const wire::courier::State& state);
// Returns the state of a destination in words: "siem: connected, 12 sent, …".
std::string state_text(const Metrics::Destination& destination);

} // namespace tiercel::output
