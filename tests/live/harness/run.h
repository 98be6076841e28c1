// SPDX-License-Identifier: Apache-2.0
//
// Run: one tested child. Its body makes system calls in a process of its own, in a fresh directory;
// the run waits for it and holds the events that it and its descendants gave. LIVE_TEST(SYMBOL) is
// the test of one event; expect() then asserts every parameter of the next such event.
#pragma once

#include <doctest/doctest.h>

#include <initializer_list>
#include <map>
#include <source_location>
#include <span>

#include "tests/live/harness/calls.h"
#include "tests/live/harness/coverage.h"
#include "tests/live/harness/directory.h"
#include "tests/live/harness/source.h"
#include "tests/live/harness/want.h"

namespace tiercel::live {

using namespace event; // codes and types: tests speak of little else

class Run {
  public:
    using Here = std::source_location;

    // Runs `body` in a child and collects events until it has ended. A child that does not end by
    // itself with code 0 fails the test, unless `status` names another wait status; kAnyStatus:
    // whichever.
    static constexpr int kAnyStatus = -1;
    explicit Run(const std::function<void()>& body, int status = 0, Here here = Here::current());

    // The next event `code` of the child, all of whose parameters must be listed and as wanted.
    void expect(Code code, std::initializer_list<WantParam> wants, Here here = Here::current());
    // The same of another thread of the run, by id in the initial pid namespace.
    void expect_of(long tid, Code code, std::initializer_list<WantParam> wants,
                   Here here = Here::current());
    // For lists that are put together at run time.
    void expect_list(long tid, Code code, std::span<const WantParam> wants,
                     Here here = Here::current());
    // No further event `code` of the child.
    void expect_no_more(Code code, Here here = Here::current());

    [[nodiscard]] long tid() const { return child_; }
    [[nodiscard]] long result(std::size_t call) const { return log_.calls[call].result; }
    [[nodiscard]] long note(std::size_t index) const { return log_.notes[index]; }
    [[nodiscard]] int status() const { return status_; }
    [[nodiscard]] const std::string& directory() const {
        return directory_.path();
    } // where the child starts
    [[nodiscard]] std::string path(std::string_view name) const {
        return directory_.path() + "/" + std::string(name);
    }
    [[nodiscard]] const std::vector<EventBytes>& events() const { return events_; }
    // All the events of one thread with the code.
    [[nodiscard]] std::vector<EventView> of(long tid, Code code) const;

  private:
    void collect(const std::function<bool()>& done);
    void keep(EventBytes bytes);
    void add_thread(const EventView& view);

    Directory directory_;
    CallLog log_{};
    long child_ = 0;
    int status_ = 0;
    std::vector<EventBytes> events_;
    std::map<long, bool> threads_; // of the run; true: past its start mark
    std::map<std::pair<long, std::uint16_t>, std::size_t> next_;
};

// Compares one event of any source as expect() does.
void expect_params(const EventView& view, std::span<const WantParam> wants,
                   const std::source_location& here = std::source_location::current());

// For use in bodies: tells the test one number.
inline void note(std::size_t index, long value) {
    call_log().notes[index] = value;
}
inline long note_of(std::size_t index) {
    return call_log().notes[index];
}

} // namespace tiercel::live

#define LIVE_CONCAT_(a, b) a##b
#define LIVE_CONCAT(a, b) LIVE_CONCAT_(a, b)

// The test of one event of the table, named by its symbol; or another aspect of it: LIVE_TEST(X,
// "aspect").
#define LIVE_TEST(symbol, ...)                                                                     \
    static const bool LIVE_CONCAT(registered_, __LINE__) =                                         \
        ::tiercel::live::Coverage::get().add_test(::tiercel::event::symbol);                       \
    static void LIVE_CONCAT(live_test_, __LINE__)();                                               \
    TEST_CASE(#symbol __VA_OPT__(" ") __VA_ARGS__) {                                               \
        if (::tiercel::live::Coverage::get().exists_here(::tiercel::event::symbol))                \
            LIVE_CONCAT(live_test_, __LINE__)();                                                   \
        else                                                                                       \
            ::tiercel::live::Coverage::get().skip("this architecture does not have it",            \
                                                  {::tiercel::event::symbol});                     \
    }                                                                                              \
    static void LIVE_CONCAT(live_test_, __LINE__)()

// Leaves the test because it cannot be done here; the events named keep no obligation to be seen.
#define LIVE_SKIP(reason, ...)                                                                     \
    do {                                                                                           \
        ::tiercel::live::Coverage::get().skip(reason, {__VA_ARGS__});                              \
        return;                                                                                    \
    } while (0)
