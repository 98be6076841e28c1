// SPDX-License-Identifier: Apache-2.0
//
// The alerts with the kernel filter are those without it: our recordings, the shipped rules, the
// rules of others where they are there, and random parts of both.
#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <random>

#include "shared/event/table.h"
#include "tests/unit/prefilter/replay.h"

using namespace tiercel;
using namespace tiercel::prefilter;

namespace {

const std::string kRoot = TIERCEL_SOURCE_DIR;
const std::vector<std::string> kOurs = {kRoot + "/policy/rules"};
const std::string kStock = kRoot + "/../shared/peer/falco_rules.yaml";
const std::string kCaptures[] = {kRoot + "/tests/data/web.scap.gz",
                                 kRoot + "/tests/data/ipv6.scap.gz"};

bool every(std::size_t) {
    return true;
}

} // namespace

TEST_CASE("the shipped rules say the same on filtered events") {
    for (const std::string& capture : kCaptures) {
        CAPTURE(capture);
        const Outcome outcome = compare(kOurs, capture, every);
        CHECK(outcome.alerts == outcome.filtered_alerts);
        CHECK(outcome.passed < outcome.events);
    }
}

TEST_CASE("random parts of the rules say the same on filtered events") {
    std::vector<std::vector<std::string>> sets = {kOurs};
    if (std::filesystem::exists(kStock))
        sets.push_back({kStock});
    else
        std::printf("SKIPPED: the rules of others: %s is not there\n", kStock.c_str());
    std::mt19937 random(1);
    for (const auto& files : sets)
        for (int round = 0; round < 10; ++round) {
            std::vector<bool> on(count_rules(files));
            for (std::size_t i = 0; i < on.size(); ++i)
                on[i] = random() % 2 == 0;
            const std::string& capture = kCaptures[static_cast<std::size_t>(round) % 2];
            const Outcome outcome =
                compare(files, capture, [&on](std::size_t i) { return bool{on[i]}; });
            CHECK(outcome.alerts == outcome.filtered_alerts);
        }
}

// The comparison itself: a filter that keeps an event back that a rule matches must show.
TEST_CASE("a filter that loses opens is found out") {
    const std::string rules =
        std::filesystem::temp_directory_path() / ("filter-" + std::to_string(getpid()) + ".yaml");
    if (std::FILE* file = std::fopen(rules.c_str(), "w")) {
        std::fputs("- rule: Opened\n  desc: d\n  output: \"%fd.name\"\n  priority: INFO\n"
                   "  condition: evt.type in (open, openat) and fd.num>=0\n",
                   file);
        std::fclose(file);
    }
    const Outcome right = compare({rules}, kCaptures[0], every);
    CHECK(right.alerts == right.filtered_alerts);
    CHECK(right.alerts.size() > 0);
    const Outcome wrong = compare({rules}, kCaptures[0], every, [](tiercel_filter& filter) {
        filter.rows[TIERCEL_FILTER_ROWS - 1].value_arg = TIERCEL_NO_ARGUMENT;
        filter.rows[TIERCEL_FILTER_ROWS - 1].file_arg = TIERCEL_NO_ARGUMENT;
        filter.rows[TIERCEL_FILTER_ROWS - 1].text_arg = TIERCEL_NO_ARGUMENT;
        filter.first[event::SYSCALL_OPENAT_2_X] = TIERCEL_FILTER_ROWS; // a row that passes nothing
    });
    CHECK(wrong.alerts != wrong.filtered_alerts);
    std::filesystem::remove(rules);
}
