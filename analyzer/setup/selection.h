// SPDX-License-Identifier: Apache-2.0
//
// Selection: the events that are printed, by their system calls (--syscalls).
#pragma once

#include <bitset>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "shared/event/view.h"

namespace tiercel::app {

// Returns the parts of "a,b,c" without blanks around them and without empty parts.
std::vector<std::string> split_list(std::string_view text);

// Returns what is wrong with the name of a system call: there is no such call (and which is
// nearest), or this machine does not have it. Returns nothing if the name is right.
std::optional<std::string> check_syscall(std::string_view name);

class Selection {
  public:
    // Selects the events of the named system calls, which check_syscall() has accepted; without
    // names, every event.
    explicit Selection(std::span<const std::string> names);

    bool shows(const event::EventView& event) const;

  private:
    bool everything_;
    std::bitset<event::kCodeLimit> codes_;
    std::bitset<1024> generic_; // scap codes of calls that have no event of their own
};

} // namespace tiercel::app
