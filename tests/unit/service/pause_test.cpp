// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "analyzer/service/loop.h"

using namespace std::chrono_literals;
using tiercel::app::Loop;
using tiercel::app::next_pause;

namespace {
constexpr std::size_t kRing = 8 << 20;
}

TEST_CASE("pauses grow while little happens, but never beyond what is promised") {
    auto pause = Loop::kShortest;
    for (int i = 0; i < 100; ++i) {
        const auto longer = next_pause(pause, 1000, kRing);
        CHECK(longer >= pause);
        pause = longer;
    }
    CHECK(pause == Loop::kLongest);
    CHECK(Loop::kLongest < 50ms);
}

TEST_CASE("pauses shrink while much happens, but never to a spin") {
    auto pause = Loop::kLongest;
    for (int i = 0; i < 100; ++i)
        pause = next_pause(pause, 700 << 10, kRing);
    CHECK(pause == Loop::kShortest);
    CHECK(next_pause(0ms, 0, kRing) >= Loop::kShortest);
}

TEST_CASE("a ring that fills is read on without a pause") {
    CHECK(next_pause(40ms, kRing / 8, kRing) == 0ms);
    CHECK(next_pause(40ms, 64 << 10, 64 << 10) == 0ms);
    CHECK(next_pause(40ms, 200 << 10, kRing) == 40ms); // the right amount: no change
}
