// SPDX-License-Identifier: Apache-2.0
//
// Readiness: whether rules are loaded, events are read and alerts arrive, for /readyz. An output
// that takes no alerts makes the sensor unready. A destination of the courier does not while its
// alerts wait in the spool, because a receiver that is away must not make every sensor of a fleet
// unready. It does when alerts leave the spool unsent.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "analyzer/output/metrics.h"

namespace tiercel::app {

class Readiness {
  public:
    // Events that are read later than this after they happened come too late.
    static constexpr std::uint64_t kMostLagNs = 10'000'000'000;
    // A destination counts as dropping for so long after it was seen to drop alerts.
    static constexpr std::uint64_t kDroppingNs = 60'000'000'000;

    struct Judgement {
        bool is_ready = false;
        // "ready", or a line "not ready: REASON" for each reason; then a line for the rules and
        // for each output and destination.
        std::string text;
    };
    // `blind` says why events are not seen; empty: they are. `now_ns` is of CLOCK_MONOTONIC.
    Judgement judge(const output::Metrics& metrics, const std::string& blind, std::uint64_t now_ns);

  private:
    bool is_dropping(const output::Metrics::Destination& destination, std::uint64_t now_ns);

    struct Dropped {
        std::uint64_t alerts = 0;             // as of the last judgement
        std::optional<std::uint64_t> seen_ns; // when they last became more
    };
    std::map<std::string, Dropped> dropped_; // by destination
};

} // namespace tiercel::app
