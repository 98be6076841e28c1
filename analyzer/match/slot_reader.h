// SPDX-License-Identifier: Apache-2.0
//
// SlotReader: the values of slots for one event after another
//
// A slot is a field, or the result of a transformer. Each slot is fetched at most once for an
// event. One SlotReader serves one thread. It allocates when it is made, and later only if a
// transformer gives a longer value than before.
#pragma once

#include <cstdint>
#include <vector>

#include "analyzer/match/graph.h"
#include "analyzer/match/transforms.h"

namespace tiercel::filter {

class SlotReader {
  public:
    // `slots` must outlive this object.
    explicit SlotReader(const std::vector<Slot>& slots);

    // Call for each event, before fetch(). `event` must live until the next call.
    void start(FieldSource& event) {
        event_ = &event;
        ++epoch_;
        fetched_ = 0;
    }
    const Values& fetch(SlotId id);
    // The number of slots fetched for this event.
    std::uint32_t fetched() const { return fetched_; }

  private:
    struct Fetched {
        std::uint64_t epoch = 0;
        Values values;
        Value single;
    };
    Values compute(const Slot& slot, SlotId id);

    const std::vector<Slot>& slots_;
    FieldSource* event_ = nullptr;
    std::uint64_t epoch_ = 0;
    std::uint32_t fetched_ = 0;
    std::vector<Fetched> values_;
    std::vector<Scratch> scratch_;             // of each slot; used by transformers
    std::vector<std::vector<Value>> literals_; // of each slot; views into `slots`
};

} // namespace tiercel::filter
