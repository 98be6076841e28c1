// SPDX-License-Identifier: Apache-2.0
//
// A capture of a million mixed events, replayed: what reading it, keeping the state and matching
// the rules take of each event, and how that grows with the number of rules. It is the pipeline of
// the analyzer itself, without what prints.
#include <fmt/core.h>
#include <unistd.h>

#include <ctime>
#include <filesystem>

#include "analyzer/capture/reader.h"
#include "analyzer/pipeline/pipeline.h"
#include "analyzer/rules/output_check.h"
#include "tests/bench/machine.h"
#include "tests/bench/mixed_events.h"
#include "tests/unit/rules/matching_bench.h"

namespace tiercel::bench {
namespace {

constexpr std::uint64_t kEvents = 1'000'000;
constexpr int kRounds = 7;
double cpu_ns() {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

constexpr double kMostNs = 250, kMostGrowth = 2;

struct Rules {
    filter::Fields fields;
    std::shared_ptr<const rules::RuleSet> set;
};

rules::LoadOptions load_into(Rules& rules) {
    rules::LoadOptions options;
    options.fields = &rules.fields;
    options.check_output = rules::check_outputs_with(rules.fields);
    return options;
}

Rules generated(unsigned count) {
    Rules rules;
    rules.set =
        rules::load_texts({{"generated", rules::generated_rules(count)}}, load_into(rules)).rules;
    return rules;
}

enum class Until { decoded, known, matched };

struct Round {
    std::uint64_t events = 0, matches = 0;
    double ns = 0; // of an event
};

Round replay(const os::UniqueFd& file, const Rules& rules, Until until) {
    Round round;
    app::Pipeline pipeline(rules.fields);
    if (until == Until::matched)
        pipeline.set_rules(rules.set, rules::Matching::first);
    pipeline.on_match([&round](const app::Pipeline::Event&) { ++round.matches; });
    lseek(file.get(), 0, SEEK_SET);
    capture::Reader reader(os::UniqueFd(dup(file.get())), pipeline.state());
    const double begun = cpu_ns();
    while (const auto got = reader.next()) {
        ++round.events;
        if (until != Until::decoded)
            pipeline.take(got->view, got->cpu);
    }
    round.ns = (cpu_ns() - begun) / static_cast<double>(round.events);
    return round;
}

double median_ns(const os::UniqueFd& file, const Rules& rules, Until until) {
    std::vector<double> rounds;
    for (int i = 0; i < kRounds; ++i)
        rounds.push_back(replay(file, rules, until).ns);
    return median(rounds);
}

void stock_rules(const os::UniqueFd& file, const std::string& path, Report& report) {
    if (!std::filesystem::exists(path)) {
        fmt::print("SKIPPED: replay with the stock rules: {} is not there\n", path);
        return;
    }
    Rules stock;
    stock.set = rules::load_files({path}, load_into(stock)).rules;
    const Round once = replay(file, stock, Until::matched);
    const double decoded = median_ns(file, stock, Until::decoded);
    const double known = median_ns(file, stock, Until::known);
    const double matched = median_ns(file, stock, Until::matched);
    report.note(fmt::format("replay: {} events, {} matches; decode {:.0f} ns, state {:.0f} ns, "
                            "rules {:.0f} ns an event",
                            once.events, once.matches, decoded, known - decoded, matched - known));
    report.figure("replay with the stock rules, end to end",
                  fmt::format("{:.0f} ns/event", matched), fmt::format("<= {:.0f}", kMostNs),
                  matched <= kMostNs);
}

} // namespace

void replay(const std::string& stock_rule_file, Report& report) {
    const os::UniqueFd file = mixed_capture(kEvents);
    if (!file.valid()) {
        fmt::print("SKIPPED: replay: there is no memory for the capture\n");
        return;
    }
    stock_rules(file, stock_rule_file, report);
    const double few = median_ns(file, generated(25), Until::matched);
    const double many = median_ns(file, generated(500), Until::matched);
    report.figure("replay, from 25 to 500 rules",
                  fmt::format("{:.0f} -> {:.0f} ns/event, {:.2f} times", few, many, many / few),
                  fmt::format("<= {:.0f} times", kMostGrowth), many <= kMostGrowth * few);
}

} // namespace tiercel::bench
