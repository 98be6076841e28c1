// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "analyzer/output/alerts/fold.h"

using namespace tiercel::alerts;

namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

Alert alert_at(std::uint64_t ns) {
    Alert alert;
    alert.time_ns = ns;
    alert.rule = "R";
    alert.message = "m";
    return alert;
}

} // namespace

TEST_CASE("the first alert of a key goes out at once, the others as one at the end of the window") {
    Fold fold(10 * kSecond);
    std::vector<Alert> sent;
    const auto send = [&sent](const Alert& alert) { sent.push_back(alert); };
    REQUIRE(fold.is_first("a", 1 * kSecond));
    fold.keep("a", alert_at(1 * kSecond));
    REQUIRE(fold.is_first("b", 2 * kSecond));
    fold.keep("b", alert_at(2 * kSecond));
    for (std::uint64_t s = 3; s < 8; ++s)
        CHECK_FALSE(fold.is_first("a", s * kSecond));
    fold.expire(10 * kSecond, send);
    CHECK(sent.empty());
    fold.expire(13 * kSecond, send);
    REQUIRE(sent.size() == 1); // nothing was folded into the alert of "b"
    CHECK(sent[0].time_ns == 7 * kSecond);
    CHECK(sent[0].message == "m (6 times since 1970-01-01T00:00:01.000000000Z)");
    CHECK(sent[0].fields[0] == std::pair<std::string, FieldValue>{"count", std::uint64_t{6}});
    CHECK(fold.folded() == 5);
    CHECK(fold.is_first("a", 14 * kSecond));
}

TEST_CASE("keys beyond the limit are not folded, and forgotten windows make room") {
    Fold fold(kSecond);
    for (int i = 0; i < 10'001; ++i) {
        const std::string key = std::to_string(i);
        REQUIRE(fold.is_first(key, 1));
        fold.keep(key, alert_at(1));
    }
    CHECK_FALSE(fold.is_first("0", 2));
    CHECK(fold.is_first("10000", 2));
    fold.expire(2 * kSecond, [](const Alert&) {});
    CHECK(fold.is_first("0", 3 * kSecond));
}
