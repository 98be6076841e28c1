// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <cerrno>

#include "analyzer/observers/readiness.h"

using namespace tiercel;
using namespace tiercel::app;

namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

output::Metrics sample(const state::StateTracker& engine) {
    return {
        .engine = engine,
        .rules = {{.name = "R", .priority = "Error", .source = "syscall"}},
        .queues = {{.name = "courier /s", .written = 5}},
        .destinations = {{.name = "siem", .sent = 5, .connected = true}},
    };
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("a sensor with rules whose alerts arrive is ready, and says what it has") {
    const state::StateTracker engine;
    const auto judged = Readiness().judge(sample(engine), "", kSecond);
    CHECK(judged.is_ready);
    CHECK(judged.text == "ready\nrules: 1\noutput courier /s: 5 written, 0 wait\n"
                         "destination siem: connected, 5 sent\n");
}

TEST_CASE("each reason why it is not ready has a line") {
    const state::StateTracker engine;
    output::Metrics metrics = sample(engine);
    metrics.rules.clear();
    metrics.queues[0].error = ENOENT;
    const auto judged = Readiness().judge(metrics, "no event has come", kSecond);
    CHECK_FALSE(judged.is_ready);
    CHECK(judged.text.starts_with("not ready: no rules are loaded\n"
                                  "not ready: no event has come\n"
                                  "not ready: output courier /s takes no alerts: No such file"));
    CHECK(has(judged.text, "\nrules: 0\n"));
}

TEST_CASE("a destination that is away leaves the sensor ready while alerts wait in the spool") {
    const state::StateTracker engine;
    output::Metrics metrics = sample(engine);
    Readiness readiness;
    metrics.destinations[0] = {.name = "siem",
                               .sent = 5,
                               .dropped = 7, // by an earlier session
                               .retried = 2,
                               .spooled_bytes = 4000,
                               .oldest_age_seconds = 60};
    const auto judged = readiness.judge(metrics, "", kSecond);
    CHECK(judged.is_ready);
    CHECK(has(judged.text, "destination siem: not connected, 5 sent, 7 dropped, 4000 bytes wait in "
                           "the spool, the oldest alert for 60 s\n"));
    // Alerts that leave the spool unsent are lost.
    metrics.destinations[0].dropped = 8;
    CHECK(has(readiness.judge(metrics, "", 2 * kSecond).text, "not ready: destination siem: "));
    CHECK_FALSE(readiness.judge(metrics, "", 30 * kSecond).is_ready);
    CHECK(readiness.judge(metrics, "", 62 * kSecond).is_ready);
}
