// SPDX-License-Identifier: Apache-2.0
#include "analyzer/observers/readiness.h"

#include <fmt/format.h>

#include <cstring>
#include <iterator>

namespace tiercel::app {

// Alerts that were dropped before the first judgement are none of this analyzer's time.
bool Readiness::is_dropping(const output::Metrics::Destination& destination, std::uint64_t now_ns) {
    const auto [place, is_new] = dropped_.try_emplace(destination.name);
    Dropped& dropped = place->second;
    if (!is_new && destination.dropped > dropped.alerts)
        dropped.seen_ns = now_ns;
    dropped.alerts = destination.dropped;
    return dropped.seen_ns && now_ns - *dropped.seen_ns < kDroppingNs;
}

Readiness::Judgement Readiness::judge(const output::Metrics& metrics, const std::string& blind,
                                      std::uint64_t now_ns) {
    std::string reasons, states;
    const auto to = std::back_inserter(states);
    const auto refuse = [&reasons](const std::string& reason) {
        reasons += "not ready: " + reason + '\n';
    };
    if (metrics.rules.empty())
        refuse("no rules are loaded");
    if (!blind.empty())
        refuse(blind);
    if (metrics.live && metrics.live->rings.fullest() > 0 && metrics.lag_ns > kMostLagNs)
        refuse(
            fmt::format("events are read {} s after they happen", metrics.lag_ns / 1'000'000'000));
    fmt::format_to(to, "rules: {}\n", metrics.rules.size());
    for (const output::Metrics::Queue& queue : metrics.queues) {
        fmt::format_to(to, "output {}: {} written, {} wait\n", queue.name, queue.written,
                       queue.waiting);
        if (queue.error != 0)
            refuse(fmt::format("output {} takes no alerts: {}", queue.name,
                               std::strerror(queue.error)));
    }
    for (const output::Metrics::Destination& destination : metrics.destinations) {
        fmt::format_to(to, "destination {}\n", output::state_text(destination));
        if (is_dropping(destination, now_ns))
            refuse(fmt::format("destination {}: alerts leave the spool unsent, because it is full "
                               "or they are too old; {} so far",
                               destination.name, destination.dropped));
    }
    return {.is_ready = reasons.empty(), .text = (reasons.empty() ? "ready\n" : reasons) + states};
}

} // namespace tiercel::app
