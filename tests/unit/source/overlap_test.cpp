// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "analyzer/source/overlap.h"

using namespace tiercel::app;

TEST_CASE("an overlap is cut in the middle of its longest time without an event") {
    SUBCASE("between two events, in whatever order the rings had them") {
        const Gap gap = longest_gap({1700, 1010, 1100, 1101, 1960}, 1000, 2000);
        CHECK(gap.middle == 1400);
        CHECK(gap.width == 599);
    }
    SUBCASE("before the first event") {
        CHECK(longest_gap({1900}, 1000, 2000).middle == 1450);
    }
    SUBCASE("behind the last event") {
        CHECK(longest_gap({1100}, 1000, 2000).middle == 1550);
    }
    SUBCASE("without any event") {
        CHECK(longest_gap({}, 1000, 2000).middle == 1500);
    }
    SUBCASE("events outside of the overlap are left out") {
        const Gap gap = longest_gap({10, 999, 1500, 2001, 9000}, 1000, 2000);
        CHECK(gap.middle == 1250);
        CHECK(gap.width == 500);
    }
    SUBCASE("an overlap of no length") {
        const Gap gap = longest_gap({1000}, 1000, 1000);
        CHECK(gap.middle == 1000);
        CHECK(gap.width == 0);
    }
}
