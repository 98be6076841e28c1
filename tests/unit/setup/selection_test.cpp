// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "analyzer/setup/selection.h"
#include "tests/unit/output/make_event.h"

using namespace tiercel;
using app::Selection;

namespace {

bool shows(const Selection& selection, std::uint16_t code, const test::Values& values = {}) {
    const auto bytes = test::make_event(code, values);
    return selection.shows(*event::EventView::parse(bytes));
}

std::string scap_of(std::string_view call) {
    return test::raw(event::find_syscall(call)->scap);
}

} // namespace

TEST_CASE("without names everything is shown") {
    CHECK(shows(Selection({}), event::SIGNALDELIVER_E));
}

TEST_CASE("with names only those are shown") {
    const std::vector<std::string> names{"write", "getppid"};
    const Selection some(names);
    CHECK(shows(some, event::SYSCALL_WRITE_X));
    CHECK_FALSE(shows(some, event::SYSCALL_CLOSE_X));
    CHECK(shows(some, event::GENERIC_X, {scap_of("getppid"), test::raw(std::uint16_t{110})}));
    CHECK_FALSE(shows(some, event::GENERIC_X, {scap_of("getpid"), test::raw(std::uint16_t{39})}));
    CHECK_FALSE(shows(some, event::GENERIC_X)); // no value
}

TEST_CASE("lists are split at commas") {
    CHECK(app::split_list("a,b") == std::vector<std::string>{"a", "b"});
    CHECK(app::split_list(" a , ,b,") == std::vector<std::string>{"a", "b"});
    CHECK(app::split_list("").empty());
}
