// SPDX-License-Identifier: Apache-2.0
//
// EventLine: an event as one line for people:
//   1523 17:35:42.999999999 1 cat (2077) openat fd=3(<f>/etc/passwd) dirfd=-100(AT_FDCWD) …
// that is number, local time, CPU, process name, thread id, event type, and parameters as evt.args
// has them. What a process chose cannot end the line or steer a terminal (escape.h).
#pragma once

#include <cstdint>
#include <string>

#include "analyzer/output/writer.h"
#include "analyzer/state/state_tracker.h"

namespace tiercel::output {

// One event on its way out; everything is lent. `engine` has just been given `event`.
struct Shown {
    std::uint64_t number; // evt.num, from 1
    const event::EventView& event;
    std::uint16_t cpu;
    const state::StateTracker& engine;
};

// The name in evt.type: the event's, and for the generic event that of its syscall.
std::string_view type_of(const event::EventView& event);

class EventLine {
  public:
    // Loads the local time zone: make it before file access is given up.
    explicit EventLine(bool colour);
    // Appends the line, newline included.
    void append(Buffer& out, const Shown& shown);

  private:
    void append_time(Buffer& out, std::uint64_t ts);

    bool colour_;
    std::uint64_t second_ = ~0ULL; // the one whose time of day is in clock_
    char clock_[9] = "";           // "17:35:42"
    std::string params_;           // kept for its room
};

// Whether lines on `fd` should have colours: a terminal that is not "dumb", and NO_COLOR not set.
bool wants_colour(int fd);

} // namespace tiercel::output
