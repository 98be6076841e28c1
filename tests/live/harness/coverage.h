// SPDX-License-Identifier: Apache-2.0
//
// Coverage: which events have a test, and which events and parameters the tests really saw and
// compared. The suite fails when an event of the table has no test, or when one was never seen and
// nobody says why.
#pragma once

#include "shared/event/table.h"

#include <initializer_list>
#include <map>
#include <set>
#include <string>

namespace tiercel::live {

class Coverage {
  public:
    static Coverage& get();

    bool add_test(event::Code code);
    void saw(std::uint16_t code, bool failed_call);
    void skip(const std::string& reason, std::initializer_list<event::Code> excused);
    // Whether any ABI of this machine has a syscall that gives the event.
    [[nodiscard]] bool exists_here(event::Code code) const;

    // Prints events without a test; their number.
    [[nodiscard]] int report_untested() const;
    // Prints events that no test saw, or saw only succeed or only fail; the number of those never
    // seen.
    [[nodiscard]] int report_unseen() const;
    [[nodiscard]] int skips() const { return skips_; }
    void count_case() { ++cases_; }
    [[nodiscard]] int cases() const { return cases_; }

  private:
    struct Seen {
        int succeeded = 0, failed = 0;
    };
    std::set<std::uint16_t> tested_, excused_;
    std::map<std::uint16_t, Seen> seen_;
    int skips_ = 0, cases_ = 0;
};

} // namespace tiercel::live
