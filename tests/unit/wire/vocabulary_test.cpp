// SPDX-License-Identifier: Apache-2.0
//
// The vocabularies of drivers.def and capabilities.def: every name is found, and the files that
// cannot be made from the tables (completions, the chart, scripts, units) say the same words.
#include <doctest/doctest.h>

#include <cctype>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "shared/wire/capabilities.h"
#include "shared/wire/drivers.h"

using namespace tiercel;

namespace {

std::string read(const std::string& path) {
    std::ifstream file(SOURCE_TREE "/" + path);
    std::ostringstream text;
    text << file.rdbuf();
    CAPTURE(path);
    REQUIRE_FALSE(text.str().empty());
    return text.str();
}

std::string joined(const std::vector<std::string>& words, const char* separator) {
    std::string text;
    for (const std::string& word : words)
        text += (text.empty() ? "" : separator) + word;
    return text;
}

// The values of --driver of those rows of the table that `chosen` takes.
template <typename Predicate>
std::vector<std::string> options(Predicate chosen) {
    std::vector<std::string> words;
    for (const wire::DriverRow& row : wire::kDriverTable)
        if (chosen(row))
            words.emplace_back(row.option);
    return words;
}

bool any(const wire::DriverRow&) {
    return true;
}

bool loads(const wire::DriverRow& row) {
    return row.loader != nullptr;
}

bool is_bpf(const wire::DriverRow& row) {
    return row.bpf;
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

// Every word of the text that begins with CAP_ and goes on in capital letters.
std::set<std::string> capabilities_in(const std::string& text) {
    std::set<std::string> names;
    for (std::size_t at = 0; (at = text.find("CAP_", at)) != std::string::npos;) {
        std::size_t end = at;
        while (end < text.size() &&
               (std::isupper(static_cast<unsigned char>(text[end])) || text[end] == '_'))
            ++end;
        names.insert(text.substr(at, end - at));
        at = end;
    }
    return names;
}

} // namespace

TEST_CASE("a driver is found by each of its names, and by no other") {
    for (const wire::DriverRow& row : wire::kDriverTable) {
        CHECK(wire::find_driver(row.id) == row.driver);
        CHECK(wire::find_driver(row.option) == row.driver);
        if (!row.kind.empty())
            CHECK(wire::find_driver(row.kind) == row.driver);
        CHECK(wire::option_of(row.driver) == row.option);
    }
    CHECK(wire::find_driver("auto") == wire::Driver::automatic);
    for (const char* wrong : {"", "bpf2", "Modern_bpf", "modern_bpf ", "count"})
        CHECK_FALSE(wire::find_driver(wrong).has_value());
}

TEST_CASE("no two drivers share a name") {
    std::set<std::string_view> seen;
    for (const wire::DriverRow& row : wire::kDriverTable)
        for (std::string_view name : std::set<std::string_view>{row.id, row.option, row.kind})
            if (!name.empty())
                CHECK(seen.insert(name).second);
}

TEST_CASE("the completions offer the drivers of the table") {
    const std::string all = "auto " + joined(options(any), " ");
    const std::string loaders = "auto " + joined(options(loads), " ");
    const std::string zsh = read("packaging/completions/_tiercel");
    CHECK(has(zsh, "compadd " + all + "\n"));
    CHECK(has(zsh, "compadd " + loaders + "\n"));
    const std::string bash = read("packaging/completions/tiercel.bash");
    CHECK(has(bash, "analyzer:--driver | tiercel:--driver) mapfile -t COMPREPLY < <(compgen -W '" +
                        all + "'"));
    CHECK(has(bash, "privd:--driver) mapfile -t COMPREPLY < <(compgen -W '" + loaders + "'"));
    CHECK(has(bash, "tiercel-driver:load) mapfile -t COMPREPLY < <(compgen -W '" + loaders + "'"));
}

TEST_CASE("the page of drivers has each driver by all its names, in the order of the table") {
    const std::string page = read("docs/drivers.md");
    std::size_t at = 0;
    for (const wire::DriverRow& row : wire::kDriverTable) {
        std::string names;
        for (std::string_view name : std::set<std::string_view>{row.id, row.option, row.kind})
            if (!name.empty())
                names += (names.empty() ? "`" : ", `") + std::string(name) + "`";
        CAPTURE(names);
        at = page.find("| " + names + " |", at);
        REQUIRE(at != std::string::npos);
    }
}

TEST_CASE("the chart offers the BPF drivers, and starts privd for the one that is chosen") {
    const std::string list = joined(options(is_bpf), "\", \"");
    CHECK(has(read("packaging/helm/tiercel/values.schema.json"),
              "\"driver\": {\"enum\": [\"auto\", \"" + list + "\"]"));
    const std::string set = read("packaging/helm/tiercel/templates/daemonset.yaml");
    CHECK(has(set, "\"--stay\", \"--driver\", {{ .Values.driver | toJson }}"));
}

TEST_CASE("tiercel-driver knows the drivers of the table") {
    const std::string script = read("packaging/driver/tiercel-driver.in");
    CHECK(has(script, "for driver in " + joined(options(any), " ") + "; do"));
    CHECK(has(script, "for driver in " + joined(options(loads), " ") + "; do"));
    CHECK(has(script, joined(options(is_bpf), " | ") + ")"));
}

TEST_CASE("units and SECURITY.md name no capability that the table lacks") {
    std::set<std::string> known{"CAP_"};
    for (const auto& [number, name] : wire::kCapabilityTable) {
        CHECK(std::string(wire::capability_name(number)) == name);
        known.insert(name);
    }
    CHECK(std::string(wire::capability_name(0)) == "unknown");
    for (const std::string& name :
         capabilities_in(read("packaging/systemd/tiercel-privd.service.in")))
        CHECK_MESSAGE(known.contains(name), name);
    const auto told = capabilities_in(read("SECURITY.md"));
    for (const auto& row : wire::kCapabilityTable)
        CHECK_MESSAGE(told.contains(row.name), std::string(row.name));
}
