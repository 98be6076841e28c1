// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "analyzer/observers/drop_watch.h"

using namespace tiercel;
using app::DropWatch;

namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

} // namespace

TEST_CASE("drops are acted on above the threshold only") {
    config::Settings settings;
    settings.drop_burst = 100;
    DropWatch watch(settings, {});
    CHECK_FALSE(watch.judge({.events = 100, .drops = 0}, kSecond));
    CHECK_FALSE(watch.judge({.events = 100, .drops = 10}, 2 * kSecond)); // 0.1 is not above 0.1
    CHECK(watch.judge({.events = 100, .drops = 11}, 3 * kSecond));
    settings.drop_threshold = 0;
    CHECK(watch.judge({.events = 1'000'000, .drops = 1}, 4 * kSecond));
    settings.drop_threshold = 1;
    CHECK_FALSE(watch.judge({.events = 100, .drops = 100}, 5 * kSecond));
}

TEST_CASE("actions are limited by their rate: by default one, and then one in thirty seconds") {
    const config::Settings settings;
    DropWatch watch(settings, {});
    const DropWatch::Second bad{.events = 10, .drops = 9};
    unsigned acted = 0;
    for (std::uint64_t second = 1; second <= 29; ++second)
        acted += watch.judge(bad, second * kSecond) ? 1 : 0;
    CHECK(acted == 1);
    for (std::uint64_t second = 30; second <= 61; ++second)
        acted += watch.judge(bad, second * kSecond) ? 1 : 0;
    CHECK(acted == 2);
}
