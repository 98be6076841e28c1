// SPDX-License-Identifier: Apache-2.0
//
// Statistics: what went through, what was lost and where, and how large the tables are; for stderr,
// at the end and when asked.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "analyzer/output/writer.h"
#include "analyzer/ring/counters.h"
#include "analyzer/ring/ring_set.h"
#include "analyzer/state/state_tracker.h"

namespace tiercel::output {

// What only a live session has.
struct LiveStatistics {
    const ring::RingSet& rings;
    const ring::Counters& counters;
    std::string_view driver; // in Falco's words: modern_bpf, bpf, kmod, …
    bool of_machine;         // not of one program alone
    std::optional<std::uint64_t>
        first_event_ns;    // from the beginning of the load to the first event here
    std::uint64_t load_ns; // that load and attachment took
    std::uint64_t initial_threads, initial_fds, iterator_losses; // from the iterators
};

// All references must outlive it.
struct Statistics {
    const state::StateTracker& engine;
    std::uint64_t events = 0; // that the pipeline took
    std::uint64_t shown = 0;  // printed
    std::uint64_t ns = 0;     // since the session began
    std::optional<LiveStatistics> live = {};
    int landlock_abi = 0; // 0: the kernel has no Landlock
    unsigned uid = 0;
};

// Several lines, each beginning with "analyzer: ".
void append_statistics(Buffer& out, const Statistics& statistics);

} // namespace tiercel::output
