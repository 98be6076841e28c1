// SPDX-License-Identifier: Apache-2.0
//
// Synthetic: values of fields for made-up events, of which only the result and the open flags are
// given. It asks the fields themselves, so that the kernel filter follows their meaning.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "analyzer/fields/fields.h"
#include "analyzer/match/comparison.h"
#include "analyzer/prefilter/calls.h"
#include "analyzer/state/state_tracker.h"

namespace tiercel::prefilter {

// Returns the bytes of an event: its header, the lengths of its parameters, and their values one
// after the other.
std::vector<std::byte> assemble(std::uint16_t code, std::int64_t tid,
                                std::span<const std::uint16_t> lengths,
                                std::span<const std::byte> values);

class Synthetic {
  public:
    // `fields` must outlive this object.
    explicit Synthetic(const filter::Fields& fields) : values_(fields, state_) {}

    // Whether the comparison of the field holds for a call with this result and these open flags
    // (those of the schema).
    bool holds(const filter::Comparison& comparison, std::uint32_t field, const Call& call,
               std::int64_t result, std::uint32_t open_flags = 0);

  private:
    state::StateTracker state_;
    filter::EventFields values_;
};

} // namespace tiercel::prefilter
