// SPDX-License-Identifier: Apache-2.0
//
// EventLine prints an event as one line of text:
//   1523 17:35:42.999999999 1 cat (2077) openat fd=3(<f>/etc/passwd) dirfd=-100(AT_FDCWD) …
// The columns are number, local time, CPU, process name, thread id, event type, and the parameters
// as in evt.args. Text that a process chose cannot end the line or control a terminal (see
// escape.h).
#pragma once

#include <cstdint>
#include <string>

#include "analyzer/output/writer.h"
#include "analyzer/state/state_tracker.h"

namespace tiercel::output {

// One event to print. `engine` has applied `event` last; both must outlive this object.
struct Shown {
    std::uint64_t number; // evt.num, from 1
    const event::EventView& event;
    std::uint16_t cpu;
    const state::StateTracker& engine;
};

// The value of evt.type: the event's name, or for a generic event the name of its syscall.
std::string_view type_of(const event::EventView& event);

class EventLine {
  public:
    // Loads the local time zone. Construct it before entering the sandbox.
    explicit EventLine(bool colour);
    // Appends the line, newline included.
    void append(Buffer& out, const Shown& shown);

  private:
    void append_time(Buffer& out, std::uint64_t ts);

    bool colour_;
    std::uint64_t second_ = ~0ULL; // the second whose time of day is in clock_
    char clock_[9] = "";           // "17:35:42"
    std::string params_;           // a member so that its memory is reused
};

// Whether to colour lines on `fd`: it is a terminal, TERM is not "dumb", and NO_COLOR is not set.
bool wants_colour(int fd);

} // namespace tiercel::output
