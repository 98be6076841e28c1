// SPDX-License-Identifier: Apache-2.0
//
// docs/alerts-and-metrics-reference.md has a row for each key of a JSON event, with its type.
#include <doctest/doctest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

namespace {

struct Key {
    std::string_view name, type;
};
constexpr Key kKeys[] = {
#define ALERT_KEY(symbol, key, type, meaning, toggle)
#define EVENT_KEY(symbol, key, type, meaning, presence) {key, type},
#include "analyzer/output/json_keys.def"
#undef ALERT_KEY
#undef EVENT_KEY
};

std::string read_page() {
    std::ifstream file(SOURCE_TREE "/docs/alerts-and-metrics-reference.md");
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

} // namespace

TEST_CASE("the reference page documents every key of a JSON event") {
    const std::string page = read_page();
    REQUIRE_FALSE(page.empty());
    for (const Key& key : kKeys) {
        CAPTURE(key.name);
        std::string row = "\n| `";
        row.append(key.name).append("` | ").append(key.type).append(" |");
        CHECK(page.find(row) != std::string::npos);
    }
}
