// SPDX-License-Identifier: Apache-2.0
//
// KeptLines: alerts that are not written yet, in memory that outlives the process. The next process
// writes those that this one could not. Each output has its own copy of a line, which is free again
// as soon as the output has written or dropped it and the event's evaluation has ended.
//
// A process may end after it has sent an alert and before the event's evaluation has ended. The
// next process evaluates the event again, and was_sent() then tells which alerts it must not
// repeat.
//
// A process may end after an output has written a line and before that is noted. The next one then
// asks the output (Sink::bytes_at_the_end()), and a file can tell; any other output gets that one
// line twice.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "analyzer/output/alerts/outbox.h"
#include "analyzer/ring/progress.h"
#include "shared/os/mapping.h"

namespace tiercel::alerts {

class KeptLines {
  public:
    // Lines that are longer with the name of their rule and the container's id are not kept, nor
    // is one that finds no room.
    static constexpr std::size_t kLongest = (8 << 10) - 64;

    // `memory`: zeros, or what an earlier process has left. `progress` must outlive this object.
    KeptLines(os::Mapping memory, const ring::Progress& progress);

    // Copies the lines that wait in the memory of an earlier session, all of whose events are done,
    // to a new memory. Does nothing if `from` is empty.
    static void adopt(const os::Mapping& from, const os::Mapping& to);

    // Keeps a line about the event at `place` for the output of that name, until the last copy of
    // the returned one is destroyed, which may be in another thread.
    Outbox::LinePointer keep(const Outbox::LinePointer& line, std::string_view output,
                             ring::Progress::Place place);

    // Returns the lines that an earlier process has left for the output, in order, and keeps them
    // again. Call once for each output.
    std::vector<Outbox::LinePointer> left(std::string_view output);

    // Returns true if an earlier process has sent the rule's alert about the event at `place` to
    // the output. Call after left().
    bool was_sent(std::string_view rule, std::string_view output,
                  ring::Progress::Place place) const;

    // From now on a line that is destroyed stays kept, because it was not written.
    void freeze();

  private:
    struct Slot;
    struct Shared;
    struct Sent {
        ring::Progress::Place place;
        std::uint32_t output;
        std::string rule;
    };
    bool is_free(const Slot& slot) const;
    Slot* find_room();
    Outbox::LinePointer hold(Slot& slot);

    const ring::Progress& progress_;
    std::uint64_t sequence_ = 0;     // of the last line
    std::vector<Sent> sent_;         // about events that are evaluated again
    std::shared_ptr<Shared> shared_; // with the lines, which may outlive this object
};

} // namespace tiercel::alerts
