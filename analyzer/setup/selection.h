// SPDX-License-Identifier: Apache-2.0
//
// Selection: which events are shown, by their system calls.
#pragma once

#include <bitset>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "shared/event/view.h"

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

    bool shows(const event::EventView& event) const;

  private:
    bool everything_;
    std::bitset<event::kCodeLimit> codes_;
    std::bitset<1024> generic_; // scap codes of calls that have no event of their own
};

} // namespace tiercel::app
