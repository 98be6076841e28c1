// SPDX-License-Identifier: Apache-2.0
//
// Overlap: two probes capture the same events for a moment, so that an analyzer goes over from the
// rings of one to the rings of the other and evaluates each event once.
//
// Both probes see an event within microseconds of one another. The overlap is therefore cut in the
// middle of its longest time without an event: all before it is read from the earlier rings, all
// behind it from the later ones.
#pragma once

#include <cstdint>
#include <vector>

#include "analyzer/pipeline/held_events.h"
#include "analyzer/ring/ring_set.h"

namespace tiercel::app {

// The rings of an earlier probe, whose last events are read before those of the present one.
struct Predecessor {
    HeldEvents held; // that were in the rings first
    ring::RingSet rings;
    std::uint64_t before = 0; // the events from this time on are in the present rings too
};

// A time without an event.
struct Gap {
    std::uint64_t middle = 0; // nanoseconds, as the times
    std::uint64_t width = 0;
};

// Below this width, the probes' clocks may have read the same event on both sides of the middle.
inline constexpr std::uint64_t kSafeGap = 10'000; // ns

// Returns the longest gap between two of `times`, of which `begin` and `end` count as two. Times
// outside of them are left out. `begin` must not be later than `end`.
Gap longest_gap(std::vector<std::uint64_t> times, std::uint64_t begin, std::uint64_t end);

} // namespace tiercel::app
