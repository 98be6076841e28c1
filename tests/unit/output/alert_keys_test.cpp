// SPDX-License-Identifier: Apache-2.0
//
// docs/alerts-and-metrics-reference.md lists every key of a JSON alert, and no other.
#include <doctest/doctest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include "analyzer/output/alerts/alert.h"

using namespace tiercel::alerts;

TEST_CASE("the reference describes every key of a JSON alert, and no other") {
    Style style;
    style.json = style.include_output = style.include_tags = style.include_message =
        style.include_fields = true;
    const nlohmann::json alert = nlohmann::json::parse(render(Alert(), style));
    std::set<std::string> keys;
    for (const auto& [key, value] : alert.items())
        keys.insert(key);
    CHECK(keys.size() > 5);

    std::ifstream page(SOURCE_TREE "/docs/alerts-and-metrics-reference.md");
    const std::regex row("\\| `([a-z_]+)` \\| .+ \\| .+ \\| .+ \\|");
    std::set<std::string> documented;
    bool inside = false;
    for (std::string line; std::getline(page, line);) {
        if (line.starts_with("## "))
            inside = line == "## An alert as JSON";
        std::smatch part;
        if (inside && std::regex_match(line, part, row))
            documented.insert(part[1]);
    }
    CHECK(documented == keys);
}
