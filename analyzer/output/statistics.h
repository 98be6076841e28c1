// SPDX-License-Identifier: Apache-2.0
//
// Statistics: how many events came, how many were lost and where, and how large the tables are.
// They are printed on standard error at the end, and on SIGUSR1.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "analyzer/output/writer.h"
#include "analyzer/ring/counters.h"
#include "analyzer/ring/ring_set.h"
#include "analyzer/state/state_tracker.h"
#include "shared/wire/messages.h"

namespace tiercel::output {

// The values that only a live session has.
struct LiveStatistics {
    const ring::RingSet& rings;
    const ring::Counters& counters;
    std::string_view driver; // Falco's engine name: modern_bpf, bpf, kmod, …
    bool of_machine;         // the driver sees every process, not one program
    std::optional<std::uint64_t>
        first_event_ns;    // from the beginning of the load to the first event taken
    std::uint64_t load_ns; // how long loading and attaching took
    std::uint64_t initial_threads, initial_fds, iterator_losses; // from the iterators
    std::uint64_t own_events = 0;  // of the analyzer itself, which were left out
    std::uint64_t lost_events = 0; // that no analyzer got, because this one started
    std::uint64_t readers = 1;     // analyzers that have read these rings, this one included
    std::uint64_t skipped = 0;     // records that were passed over because they crashed an analyzer
    std::span<const wire::Held> held = {}; // capabilities of the process that loaded the probe
};

// The references must outlive the call.
struct Statistics {
    const state::StateTracker& engine;
    std::uint64_t events = 0; // taken by the pipeline
    std::uint64_t ns = 0;     // since the session began
    std::optional<LiveStatistics> live = {};
    int landlock_abi = 0; // 0: the kernel has no Landlock
    unsigned uid = 0;
};

// Appends several lines, each beginning with "analyzer: ".
void append_statistics(Buffer& out, const Statistics& statistics);

} // namespace tiercel::output
