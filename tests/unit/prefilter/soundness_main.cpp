// SPDX-License-Identifier: Apache-2.0
//
// filter_soundness CAPTURE[@SESSION] ROUNDS RULES...: compares the alerts on a recording of all
// events with those on the filtered events: of all rules, and of ROUNDS random parts of them.
// Prints how much passes, of the processes of a session if one is given. Exit code 1: the alerts
// differ.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <random>

#include "shared/event/table.h"
#include "tests/unit/prefilter/replay.h"

using namespace tiercel::prefilter;

namespace {

// Prints the first alert that one list has and the other has not.
void print_difference(const Outcome& outcome) {
    const auto& a = outcome.alerts;
    const auto& b = outcome.filtered_alerts;
    const auto [left, right] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
    fmt::print("{} alerts, {} filtered; the first difference:\n  all      {}\n  filtered {}\n",
               a.size(), b.size(), left != a.end() ? *left : "(none)",
               right != b.end() ? *right : "(none)");
}

bool run(const std::vector<std::string>& rules, const std::string& argument, int rounds) {
    const std::size_t at = argument.find('@');
    const std::string capture = argument.substr(0, at);
    const std::int64_t session =
        at == std::string::npos ? 0 : std::atoll(argument.c_str() + at + 1);
    const auto every = [](std::size_t) { return true; };
    const Outcome whole = compare(rules, capture, every, {}, session);
    fmt::print("{} events, {} pass ({:.1f} %), {} alerts\n", whole.events, whole.passed,
               100.0 * static_cast<double>(whole.passed) / static_cast<double>(whole.events),
               whole.alerts.size());
    for (const auto& [code, count] : whole.passed_by_code)
        if (count * 200 > whole.passed)
            fmt::print("  {:>9} {}\n", count, tiercel::event::find(code)->name);
    if (whole.alerts != whole.filtered_alerts) {
        print_difference(whole);
        return false;
    }
    const std::size_t count = count_rules(rules);
    for (int round = 0; round < rounds; ++round) {
        std::mt19937 random(static_cast<unsigned>(round));
        std::vector<bool> on(count);
        for (std::size_t i = 0; i < count; ++i)
            on[i] = random() % 3 == 0;
        const Outcome part = compare(rules, capture, [&on](std::size_t i) { return bool{on[i]}; });
        if (part.alerts != part.filtered_alerts) {
            fmt::print("round {}: ", round);
            print_difference(part);
            return false;
        }
    }
    return true;
}

} // namespace

int main(int argc, char** argv) {
    if (argc < 4) {
        fmt::print(stderr, "usage: filter_soundness CAPTURE[@SESSION] ROUNDS RULES...\n");
        return 2;
    }
    try {
        return run({argv + 3, argv + argc}, argv[1], std::atoi(argv[2])) ? 0 : 1;
    } catch (const std::exception& error) {
        fmt::print(stderr, "filter_soundness: {}\n", error.what());
        return 2;
    }
}
