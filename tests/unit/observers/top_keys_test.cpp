// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <string_view>

#include "analyzer/observers/top_keys.h"

using namespace tiercel;
using output::Top;

namespace {

bool type(std::string_view keys, Top::View& view) {
    for (const char key : keys)
        if (!app::take_key(key, view))
            return false;
    return true;
}

} // namespace

TEST_CASE("keys sort, pause and end") {
    Top::View view;
    CHECK(type("n", view));
    CHECK(view.sort == Top::Sort::name);
    CHECK(type("cp", view));
    CHECK(view.sort == Top::Sort::container);
    CHECK(view.is_paused);
    CHECK(type(" ex", view));
    CHECK_FALSE(view.is_paused);
    CHECK(view.sort == Top::Sort::events);
    CHECK_FALSE(type("q", view));
}

TEST_CASE("a filter is typed, in which q is a letter, and goes by Escape") {
    Top::View view;
    CHECK(type("/sqlx\x7f", view));
    CHECK(view.is_typing);
    CHECK(view.filter == "sql");
    CHECK(type("\n", view));
    CHECK_FALSE(view.is_typing);
    CHECK(view.filter == "sql");
    CHECK(type("\x1b", view));
    CHECK(view.filter.empty());
    CHECK(type("/q\x1b", view));
    CHECK(view.filter.empty());
    CHECK_FALSE(view.is_typing);
}
