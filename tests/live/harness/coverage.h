// SPDX-License-Identifier: Apache-2.0
//
// Coverage: which events have a test, and which events and parameters the tests really saw and
// compared. The suite fails if an event of the table has no test, or if one was never seen and no
// reason is given.
#pragma once

#include <functional>
#include <initializer_list>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "shared/event/table.h"

namespace tiercel::live {

class Coverage {
  public:
    static Coverage& get();

    bool add_test(event::Code code);
    void saw(std::uint16_t code, bool failed_call);
    void test_failed(std::string_view test); // named as LIVE_TEST names it, SYMBOL first
    void skip(const std::string& reason, std::initializer_list<event::Code> excused);
    // Whether any ABI of this machine has a syscall that gives the event.
    [[nodiscard]] bool exists_here(event::Code code) const;

    // Prints events without a test; their number.
    [[nodiscard]] int report_untested() const;
    // Prints events that no test saw, or saw only succeed or only fail; the number of those never
    // seen.
    [[nodiscard]] int report_unseen() const;
    // Prints a line for each event of the table: RESULT, symbol and what came of it, with tabs
    // between. That is `pass`, `not supported: ` with the reason of its row in gaps.def, `not
    // tested: ` with what this kernel lacks, or `fail: ` with what was wrong.
    void print_results(std::string_view driver) const;
    [[nodiscard]] int skips() const { return skips_; }
    void count_case() { ++cases_; }
    [[nodiscard]] int cases() const { return cases_; }

  private:
    struct Seen {
        int succeeded = 0, failed = 0;
    };
    [[nodiscard]] std::string verdict(const event::EventInfo& info, std::string_view driver) const;

    std::set<std::uint16_t> tested_;
    std::map<std::uint16_t, std::string> excused_;           // the reasons
    std::map<std::string, std::string, std::less<>> broken_; // by symbol: the test that failed
    std::map<std::uint16_t, Seen> seen_;
    int skips_ = 0, cases_ = 0;
};

} // namespace tiercel::live
