// SPDX-License-Identifier: Apache-2.0
//
// docs/alerts-and-metrics-reference.md lists every metric with its type and labels, and no other.
#include <doctest/doctest.h>

#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "analyzer/output/metrics.h"

using namespace tiercel;
using namespace tiercel::output;

namespace {

struct Described {
    std::string type;
    std::set<std::string> labels;
    bool operator==(const Described&) const = default;
};
using Families = std::map<std::string, Described>;

// The families of everything that a live session with rules, outputs and an enricher can report.
Families reported() {
    state::StateTracker engine;
    engine.containers().remember();
    const ring::RingSet rings;
    const ring::Counters counters;
    Metrics metrics{
        .engine = engine,
        .events = 0,
        .ns = 0,
        .live = LiveStatistics{.rings = rings,
                               .counters = counters,
                               .driver = "modern_bpf",
                               .of_machine = true,
                               .first_event_ns = {},
                               .load_ns = 0,
                               .initial_threads = 0,
                               .initial_fds = 0,
                               .iterator_losses = 0,
                               .held = {}},
        .driver = "modern_bpf",
        .rules = {{.name = "r", .priority = "p", .source = "s", .matches = 1}},
        .queues = {{.name = "q"}},
        .destinations = {{.name = "d"}},
    };
    Buffer out;
    append_metrics(out, metrics);
    std::istringstream lines(fmt::to_string(out));
    Families families;
    const std::regex type("# TYPE ([a-z_]+) ([a-z]+)"), sample("([a-z_]+)\\{(.*)\\} .*"),
        label("([a-z_]+)=\"");
    for (std::string line; std::getline(lines, line);) {
        std::smatch part;
        if (std::regex_match(line, part, type))
            families[part[1]].type = part[2];
        else if (std::regex_match(line, part, sample)) {
            const std::string text = part[2];
            for (std::sregex_iterator at(text.begin(), text.end(), label), end; at != end; ++at)
                families[part[1]].labels.insert((*at)[1]);
        }
    }
    return families;
}

// The rows `| `NAME` | TYPE | LABELS | MEANING |` of the page.
Families documented() {
    std::ifstream page(SOURCE_TREE "/docs/alerts-and-metrics-reference.md");
    Families families;
    const std::regex row(
        "\\| `((?:tiercel|falcosecurity)_[a-z_]+)` \\| ([a-z]+) \\| ([a-z_, ]*) ?\\| .+ \\|"),
        word("[a-z_]+");
    for (std::string line; std::getline(page, line);) {
        std::smatch part;
        if (!std::regex_match(line, part, row))
            continue;
        Described& family = families[part[1]];
        family.type = part[2];
        const std::string text = part[3];
        for (std::sregex_iterator at(text.begin(), text.end(), word), end; at != end; ++at)
            family.labels.insert(at->str());
    }
    return families;
}

} // namespace

TEST_CASE("the reference describes every metric, and no other") {
    const Families page = documented();
    const Families all = reported();
    CHECK(all.size() > 20);
    for (const auto& [name, family] : all) {
        CAPTURE(name);
        REQUIRE(page.contains(name));
        CHECK(page.at(name).type == family.type);
        // A session of no CPU and no ring has no samples of these families.
        if (!family.labels.empty())
            CHECK(page.at(name).labels == family.labels);
    }
    for (const auto& [name, family] : page) {
        CAPTURE(name);
        CHECK(all.contains(name));
    }
}
