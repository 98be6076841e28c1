// SPDX-License-Identifier: Apache-2.0
//
// Selection: which system calls the probe is to capture, and which events are shown. The two
// differ: names of processes and fds are known only if the calls that change them are captured,
// whether shown or not.
#pragma once

#include <bitset>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "shared/event/view.h"
#include "shared/wire/messages.h"

namespace tiercel::app {

// Parts of "a,b,c", without blanks around them and without empty ones.
std::vector<std::string> split_list(std::string_view text);

// What is wrong with the name of a system call: that there is none, and which is nearest to it; or
// that this machine does not have it.
std::optional<std::string> check_syscall(std::string_view name);

class Selection {
  public:
    // Of the named system calls, all of which check_syscall() has passed; of every event when there
    // is none.
    explicit Selection(std::span<const std::string> names);

    // Sets the bits of what has to be captured.
    void set_interest(wire::Request& request) const;
    bool shows(const event::EventView& event) const;

  private:
    bool everything_;
    std::bitset<event::kCodeLimit> codes_;
    std::bitset<1024> generic_; // scap codes of calls that have no event of their own
    std::bitset<512> natives_;  // what was asked for
};

} // namespace tiercel::app
