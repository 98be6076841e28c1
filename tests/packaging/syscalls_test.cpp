// SPDX-License-Identifier: Apache-2.0
//
// The units' SystemCallFilter= against the compiled lists of policy/privilege/, both as numbers;
// and the containers' seccomp profiles, which have to allow at least these.
#include <doctest/doctest.h>

#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "policy/privilege/analyzer_syscalls.h"
#include "policy/privilege/container_syscalls.h"
#include "policy/privilege/courier_syscalls.h"
#include "policy/privilege/enricher_syscalls.h"
#include "policy/privilege/privd_syscalls.h"
#include "policy/privilege/start_syscalls.h"
#include "tests/packaging/unit_lists.h"

namespace {

using tiercel::policy::Allow;

// The value of SystemCallFilter= in a unit, continuation lines joined.
std::string filter_of(const std::string& unit) {
    std::ifstream file(std::string(UNITS) + "/" + unit);
    REQUIRE_MESSAGE(file, "cannot read " << UNITS << "/" << unit);
    std::string line, value;
    bool inside = false;
    while (std::getline(file, line)) {
        constexpr std::string_view kKey = "SystemCallFilter=";
        const bool starts = line.starts_with(kKey);
        REQUIRE_FALSE((starts && !value.empty())); // a second one would add to the first
        if (!starts && !inside)
            continue;
        inside = line.ends_with('\\');
        if (inside)
            line.pop_back();
        value += starts ? line.substr(kKey.size()) : line;
    }
    return value;
}

// Calls that this architecture does not have are negative, by name and by number alike.
std::set<int> numbers_in(const std::string& names) {
    std::set<int> numbers;
    std::istringstream words(names);
    for (std::string word; words >> word;) {
        const int number = seccomp_syscall_resolve_name(word.c_str());
        CHECK_MESSAGE(number != __NR_SCMP_ERROR, word << " is no system call");
        numbers.insert(number);
    }
    return numbers;
}

void add(std::span<const Allow> list, std::set<int>& numbers) {
    for (const Allow& allow : list)
        numbers.insert(allow.calls.begin(), allow.calls.end());
}

} // namespace

TEST_CASE("tiercel.service allows what the analyzer needs to start and to run, and no more") {
    std::set<int> wanted;
    for (const std::span<const Allow> list : tiercel::test::kAnalyzerUnit)
        add(list, wanted);
    CHECK(numbers_in(filter_of("tiercel.service")) == wanted);
}

TEST_CASE("tiercel-privd.service allows what privd needs to start, to load and to pass on, and "
          "no more") {
    std::set<int> wanted;
    add(tiercel::policy::kPrivdStart, wanted);
    add(tiercel::policy::kPrivdLoad, wanted);
    add(tiercel::policy::kPrivdLoadBpf, wanted);
    add(tiercel::policy::kPrivdLoadClassic, wanted);
    add(tiercel::policy::kPrivdLoadModule, wanted);
    add(tiercel::policy::kPrivdSteady, wanted);
    add(tiercel::policy::kPrivdSteadyClassic, wanted);
    CHECK(numbers_in(filter_of("tiercel-privd.service")) == wanted);
}

TEST_CASE(
    "tiercel-enricher.service allows what the enricher needs to start and to run, and no more") {
    std::set<int> wanted;
    add(tiercel::policy::kEnricherStart, wanted);
    add(tiercel::policy::kEnricherSteady, wanted);
    CHECK(numbers_in(filter_of("tiercel-enricher.service")) == wanted);
}

TEST_CASE(
    "tiercel-courier.service allows what the courier needs to start and to run, and no more") {
    std::set<int> wanted;
    add(tiercel::policy::kCourierStart, wanted);
    add(tiercel::policy::kCourierSteady, wanted);
    CHECK(numbers_in(filter_of("tiercel-courier.service")) == wanted);
}

// The names between the brackets of the profile's only "names".
static std::set<int> profile_of(const std::string& program) {
    std::ifstream file(std::string(PROFILES) + "/" + program + ".json");
    REQUIRE_MESSAGE(file, "cannot read " << PROFILES << "/" << program << ".json");
    std::ostringstream whole;
    whole << file.rdbuf();
    std::string text = whole.str();
    text = text.substr(text.find("\"names\": [") + 10);
    text = text.substr(0, text.find(']'));
    for (char& c : text)
        if (c == '"' || c == ',' || c == '[')
            c = ' ';
    return numbers_in(text);
}

TEST_CASE("each container's profile allows its process's lists and the runtime's steps") {
    std::set<int> runtime;
    add(tiercel::policy::kRuntimeStart, runtime);
    const struct {
        const char* program;
        std::vector<std::span<const Allow>> lists;
    } rows[] = {
        {"analyzer",
         {std::begin(tiercel::test::kAnalyzerUnit), std::end(tiercel::test::kAnalyzerUnit)}},
        {"privd",
         {tiercel::policy::kPrivdStart, tiercel::policy::kPrivdLoadBpf,
          tiercel::policy::kPrivdLoadClassic}},
        {"enricher",
         {tiercel::policy::kEnricherStart, tiercel::policy::kEnricherSteady,
          tiercel::policy::kEnricherListen}},
        {"courier",
         {tiercel::policy::kCourierStart, tiercel::policy::kCourierSteady,
          tiercel::policy::kCourierListen}}};
    for (const auto& row : rows) {
        CAPTURE(row.program);
        std::set<int> wanted = runtime;
        for (const auto& list : row.lists)
            add(list, wanted);
        const std::set<int> allowed = profile_of(row.program);
        for (const int call : wanted)
            CHECK(allowed.contains(call));
        CHECK_FALSE(allowed.contains(SCMP_SYS(ptrace)));
    }
}
