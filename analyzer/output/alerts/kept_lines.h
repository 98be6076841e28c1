// SPDX-License-Identifier: Apache-2.0
//
// KeptLines: alerts that are not written yet, in memory that outlives the process. The next process
// writes those that this one could not. Each output has its own copy of a line, which is free again
// as soon as the output has written or dropped it.
//
// A process may end after an output has written a line and before that is noted. The next one then
// asks the output (Sink::bytes_at_the_end()), and a file can tell; any other output gets that one
// line twice.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "analyzer/output/alerts/outbox.h"
#include "analyzer/ring/progress.h"
#include "shared/os/mapping.h"

namespace tiercel::alerts {

class KeptLines {
  public:
    // Lines that are longer with the name of their rule are not kept, nor is one that finds no
    // room.
    static constexpr std::size_t kLongest = (8 << 10) - 64;

    // `memory`: zeros, or what an earlier process has left.
    explicit KeptLines(os::Mapping memory);

    // Keeps a line about the event at `place` for the output of that name, until the last copy of
    // the returned one is destroyed, which may be in another thread.
    Outbox::LinePointer keep(const Outbox::LinePointer& line, std::string_view output,
                             ring::Progress::Place place);

    // Returns the lines that an earlier process has left for the output, in order, and keeps them
    // again. Leaves out those about the event at `again`, because it is evaluated again.
    std::vector<Outbox::LinePointer> left(std::string_view output, ring::Progress::Place again);

    // From now on a line that is destroyed stays kept, because it was not written.
    void freeze();

  private:
    struct Slot;
    struct Shared;
    Slot* find_room();
    Outbox::LinePointer hold(Slot& slot);

    std::uint64_t sequence_ = 0;     // of the last line
    std::shared_ptr<Shared> shared_; // with the lines, which may outlive this object
};

} // namespace tiercel::alerts
