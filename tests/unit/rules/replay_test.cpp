// SPDX-License-Identifier: Apache-2.0
//
// Rules on real events, with the real fields: recordings made by others, with Falco's account of
// each event beside them. What a rule matches must be what that account says.
#include <doctest/doctest.h>
#include <fcntl.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>

#include "analyzer/capture/reader.h"
#include "analyzer/output/alerts/template.h"
#include "analyzer/rules/output_check.h"
#include "analyzer/rules/rule_engine.h"

using namespace tiercel;
using namespace tiercel::rules;

namespace {

const std::string kPeer = std::string(TIERCEL_SOURCE_DIR) + "/../shared/peer/";

bool absent() {
    if (std::filesystem::exists(kPeer + "curl_google.scap"))
        return false;
    std::printf("SKIPPED: rules on recordings: %s is not there\n", kPeer.c_str());
    return true;
}

struct Replay {
    filter::Fields fields;
    Loaded loaded;
    std::vector<std::uint64_t> counts;
    std::vector<std::string> messages; // of the first rule
    std::uint64_t events = 0;

    void load(const std::vector<std::pair<std::string, std::string>>& texts, bool files = false) {
        LoadOptions options;
        options.fields = &fields;
        options.check_output = check_outputs_with(fields);
        std::vector<std::string> paths;
        for (const auto& [path, unused] : texts)
            paths.push_back(path);
        loaded = files ? load_files(paths, options) : load_texts(texts, options);
    }
    std::string said() const {
        std::string all;
        for (const Diagnostic& diagnostic : loaded.diagnostics.all()) {
            if (diagnostic.severity != Severity::note)
                all += format(loaded.sources, diagnostic);
        }
        return all;
    }
    void run(const std::string& capture) {
        REQUIRE_MESSAGE(loaded.rules, said());
        state::StateTracker engine;
        capture::Reader reader(os::UniqueFd(open(capture.c_str(), O_RDONLY | O_CLOEXEC)), engine);
        filter::EventFields values(fields, engine);
        RuleEngine rules(loaded.rules, Matching::all);
        filter::Format::Problem problem;
        const auto first =
            alerts::AlertTemplate::make({}, loaded.rules->rules[0].output, {}, fields, problem);
        REQUIRE(first);
        while (const auto event = reader.next()) {
            values.set(event->view, event->num, event->cpu, engine.apply(event->view, event->cpu));
            for (const filter::RuleId id : rules.match(event->view, values)) {
                if (id == 0)
                    messages.push_back(first->fill(values, event->view.ts()).message);
            }
            ++events;
        }
        CHECK(reader.error() == "");
        counts = rules.counts();
    }
};

std::string rule(const std::string& name, const std::string& condition) {
    return "- rule: " + name +
           "\n  desc: d\n  output: \"%evt.num %evt.type %proc.name %fd.name\"\n"
           "  priority: INFO\n  warn_evttypes: false\n  condition: >\n    " +
           condition + '\n';
}

// Lines of Falco's account for which `wanted` holds; columns by the names in its first line.
std::uint64_t count_lines(const std::string& name,
                          const std::function<bool(std::map<std::string, std::string>&)>& wanted) {
    std::ifstream file(kPeer + name + ".fields.txt");
    std::string line;
    std::getline(file, line);
    std::vector<std::string> columns;
    std::stringstream header(line.substr(line.find('%')));
    for (std::string column; std::getline(header, column, '|');)
        columns.push_back(column.substr(1));
    std::uint64_t count = 0;
    while (std::getline(file, line)) {
        std::map<std::string, std::string> values;
        std::stringstream cells(line);
        std::size_t i = 0;
        for (std::string cell; std::getline(cells, cell, '|') && i < columns.size(); ++i)
            values[columns[i]] = cell;
        count += wanted(values) ? 1 : 0;
    }
    return count;
}

} // namespace

TEST_CASE("the stock rules and ours load with the real fields, without a warning") {
    Replay ours;
    ours.load({{std::string(TIERCEL_SOURCE_DIR) + "/policy/rules", ""}}, true);
    CHECK(ours.said() == "");
    CHECK(ours.loaded.rules);
    if (absent())
        return;
    Replay stock;
    stock.load({{kPeer + "falco_rules.yaml", ""}}, true);
    CHECK(stock.said() == "");
    REQUIRE(stock.loaded.rules);
    CHECK(stock.loaded.rules->rules.size() == 25);
}

TEST_CASE("rules match in recordings what Falco's account of them says") {
    if (absent())
        return;
    struct Row {
        const char* condition;
        std::function<bool(std::map<std::string, std::string>&)> says;
    };
    const std::vector<Row> rows = {
        {"evt.type in (open, openat) and proc.name=curl",
         [](auto& v) {
             return (v["evt.type"] == "open" || v["evt.type"] == "openat") &&
                    v["proc.name"] == "curl";
         }},
        {"proc.name=curl and not evt.type in (read, write)",
         [](auto& v) {
             return v["proc.name"] == "curl" && v["evt.type"] != "read" && v["evt.type"] != "write";
         }},
        {"fd.name startswith /etc/", [](auto& v) { return v["fd.name"].starts_with("/etc/"); }},
        {"fd.l4proto=tcp and fd.sport in (80, 443)",
         [](auto& v) {
             return v["fd.l4proto"] == "tcp" && (v["fd.sport"] == "80" || v["fd.sport"] == "443");
         }},
        {"evt.is_open_read=true", [](auto& v) { return v["evt.is_open_read"] == "true"; }},
        {"fd.num >= 3 and fd.num < 6",
         [](auto& v) { return v["fd.num"] == "3" || v["fd.num"] == "4" || v["fd.num"] == "5"; }},
        {"proc.pname exists and proc.pname != bash",
         [](auto& v) { return v["proc.pname"] != "<NA>" && v["proc.pname"] != "bash"; }},
        {"fd.type in (ipv4, ipv6) or thread.cap_effective icontains cap_sys_admin",
         [](auto& v) {
             return v["fd.type"] == "ipv4" || v["fd.type"] == "ipv6" ||
                    v["thread.cap_effective"].find("CAP_SYS_ADMIN") != std::string::npos;
         }},
        {"evt.res startswith E", [](auto& v) { return v["evt.res"].starts_with("E"); }},
    };
    for (const char* name : {"curl_google", "single_ipv6_conn"}) {
        std::string text;
        for (std::size_t i = 0; i < rows.size(); ++i)
            text += rule("R" + std::to_string(i), rows[i].condition);
        Replay replay;
        replay.load({{"rules", text}});
        replay.run(kPeer + name + ".scap");
        std::uint64_t all = 0;
        for (std::size_t i = 0; i < rows.size(); ++i) {
            CAPTURE(name);
            CAPTURE(rows[i].condition);
            const std::uint64_t expected = count_lines(name, rows[i].says);
            CHECK(replay.counts[i] == expected);
            all += expected;
        }
        CHECK(all > 100);
        if (!replay.messages.empty())
            CHECK(replay.messages[0].find("open") != std::string::npos);
    }
}
