// SPDX-License-Identifier: Apache-2.0
//
// docs/falco-migration.md has a table of falco.yaml's keys, which is made from keys.def. With
// TIERCEL_UPDATE_DOCS in the environment, the test writes the table instead of comparing it.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <vector>

#include "analyzer/config/keys.h"

using namespace tiercel::config;

namespace {

constexpr const char* kPage = SOURCE_TREE "/docs/falco-migration.md";
constexpr std::string_view kBegin =
    "<!-- This table is made from analyzer/config/keys.def. -->\n\n";
constexpr std::string_view kEnd = "\n<!-- end of the table -->";

std::string standing_of(const Key& key) {
    switch (key.standing) {
    case Key::Standing::same: return "the same";
    case Key::Standing::different: return "different: " + std::string(key.doc);
    case Key::Standing::ignored: return "no effect: " + std::string(key.doc);
    case Key::Standing::elsewhere: return "the same; " + std::string(key.doc);
    case Key::Standing::absent: return "not there: " + std::string(key.doc);
    case Key::Standing::ours: break;
    }
    return {};
}

// Keys that stand alike and have the first part of their names in common are one row.
std::string table() {
    std::map<std::string, const Key*> sorted;
    for (const Key& key : keys())
        if (key.standing != Key::Standing::ours)
            sorted.emplace(key.name, &key);
    std::vector<std::pair<std::string, std::string>> rows; // keys, and how they stand
    std::string last;
    for (const auto& [name, key] : sorted) {
        const std::string standing = standing_of(*key);
        const std::string part = name.substr(0, name.find_first_of("._"));
        const bool is_below = key->take == nullptr && key->standing != Key::Standing::absent;
        const std::string shown = '`' + name + (is_below ? "` and below" : "`");
        if (!rows.empty() && part == last && rows.back().second == standing)
            rows.back().first += ", " + shown;
        else
            rows.emplace_back(shown, standing);
        last = part;
    }
    std::string text = "| falco.yaml | here |\n|---|---|\n";
    for (const auto& [names, standing] : rows)
        text += "| " + names + " | " + standing + " |\n";
    return text;
}

std::string read_page() {
    std::ostringstream text;
    text << std::ifstream(kPage).rdbuf();
    return text.str();
}

} // namespace

TEST_CASE("the page for people who come from Falco has the standing of every key") {
    std::string page = read_page();
    const std::size_t begin = page.find(kBegin), end = page.find(kEnd);
    REQUIRE(begin != std::string::npos);
    REQUIRE(end != std::string::npos);
    const std::size_t from = begin + kBegin.size();
    if (std::getenv("TIERCEL_UPDATE_DOCS") != nullptr) {
        page.replace(from, end - from, table());
        std::ofstream(kPage) << page;
        return;
    }
    CHECK(page.substr(from, end - from) == table());
    CHECK(std::ranges::count(table(), '\n') > 30);
}
