// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <regex>
#include <set>
#include <sstream>

#include "analyzer/output/metrics.h"

using namespace tiercel;
using namespace tiercel::output;

namespace {

std::string text_of(const Metrics& metrics) {
    Buffer out;
    append_metrics(out, metrics);
    return fmt::to_string(out);
}

Metrics sample(const state::StateTracker& engine) {
    return {.engine = engine,
            .events = 1234,
            .ns = 2'500'000'000,
            .live = {},
            .driver = "modern_bpf",
            .rules = {{.name = "Say \"hi\"\\\n",
                       .priority = "Critical",
                       .source = "syscall",
                       .matches = 3}},
            .queues = {{.name = "stdout", .waiting = 1, .written = 5, .discarded = 2, .failed = 0}},
            .destinations = {{.name = "siem",
                              .sent = 9,
                              .failed = 1,
                              .dropped = 2,
                              .retried = 3,
                              .spooled_bytes = 400,
                              .oldest_age_seconds = 5,
                              .connected = true}},
            .lag_ns = 4'000'000,
            .rss_bytes = 4096,
            .cpu_ns = 1'000'000'000};
}

} // namespace

TEST_CASE("every line is one of the text format, every sample has its head, no head comes twice") {
    const state::StateTracker engine;
    std::istringstream lines(text_of(sample(engine)));
    const std::regex head("# (HELP|TYPE) ([a-z_]+) .+");
    const std::regex value(R"(([a-z_]+)(\{([a-z_]+="([^"\\]|\\.)*",?)+\})? [0-9.e+-]+)");
    std::set<std::string> known;
    for (std::string line; std::getline(lines, line);) {
        std::smatch part;
        if (std::regex_match(line, part, head)) {
            if (part[1] == "TYPE")
                CHECK(known.insert(part[2]).second);
            continue;
        }
        CHECK_MESSAGE(std::regex_match(line, part, value), line);
        CHECK_MESSAGE(known.contains(part[1]), line);
    }
    CHECK(known.size() > 10);
}

TEST_CASE("values are what was given, under Falco's names where there is one") {
    const state::StateTracker engine;
    const std::string text = text_of(sample(engine));
    for (const char* line :
         {"falcosecurity_falco_duration_seconds_total 2.5\n",
          "falcosecurity_falco_memory_rss_bytes 4096\n", "tiercel_events_total 1234\n",
          "tiercel_lag_seconds 0.004\n",
          "falcosecurity_scap_engine_name_info{engine_name=\"modern_bpf\",evt_source=\"syscall\"} "
          "1\n",
          "tiercel_output_queue_lines{output=\"stdout\"} 1\n",
          "tiercel_output_lines_total{output=\"stdout\",result=\"discarded\"} 2\n",
          "falcosecurity_falco_outputs_queue_num_drops_total 2\n",
          "tiercel_courier_alerts_total{destination=\"siem\",result=\"dropped\"} 2\n",
          "tiercel_courier_spooled_bytes{destination=\"siem\"} 400\n",
          "tiercel_courier_connected{destination=\"siem\"} 1\n"})
        CHECK_MESSAGE(text.find(line) != std::string::npos, line);
}

TEST_CASE("a rule's name cannot forge a line") {
    const state::StateTracker engine;
    CHECK(text_of(sample(engine))
              .find(R"(priority="Critical",rule_name="Say \"hi\"\\\\x0a",source="syscall"} 3)") !=
          std::string::npos);
}
