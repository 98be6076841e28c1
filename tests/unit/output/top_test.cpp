// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <sstream>
#include <vector>

#include "analyzer/output/top.h"

using namespace tiercel::output;

namespace {

// The page as a terminal shows it: without escape sequences, one string a line.
std::vector<std::string> page(Top& top, const Top::Totals& totals, TerminalSize size,
                              const Top::View& view = {}) {
    Buffer out;
    top.take(totals);
    top.append_page(out, size, view);
    std::string plain;
    const std::string text = fmt::to_string(out);
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] != '\x1b') {
            if (text[at] != '\r')
                plain += text[at];
            continue;
        }
        while (at < text.size() && (text[at] < 'A' || text[at] > 'z' || text[at] == '['))
            ++at;
    }
    std::vector<std::string> lines;
    std::istringstream stream(plain);
    for (std::string line; std::getline(stream, line);)
        lines.push_back(line);
    return lines;
}

constexpr Top::Totals kOneSecond{.events = 1000,
                                 .drops = 10,
                                 .drop_reason = "ring full",
                                 .filtered = 0,
                                 .ns = 1'000'000'000,
                                 .lag_ns = 12'300'000,
                                 .ring_used = 64 << 10,
                                 .ring_bytes = 8 << 20,
                                 .threads = 75};

} // namespace

TEST_CASE("a page fits the terminal and shows the busiest first") {
    Top top;
    for (int i = 0; i < 300; ++i)
        top.count("postgres", "0123456789ab", "read");
    for (int i = 0; i < 50; ++i)
        top.count("cat", "", "openat");
    top.match("Read sensitive file untrusted");
    const auto lines = page(top, kOneSecond, {.columns = 80, .rows = 24});
    CHECK(lines.size() == 24);
    for (const std::string& line : lines)
        CHECK(line.size() < 80);
    CHECK(lines[0].find("1000 events/s") != std::string::npos);
    CHECK(lines[0].find("10 drops/s") != std::string::npos);
    CHECK(lines[1].find("lag 12.3 ms") != std::string::npos);
    CHECK(lines[0].find("10 dropped: ring full") != std::string::npos);
    CHECK(lines[4].find("300  postgres") != std::string::npos);
    CHECK(lines[4].find(" 0123456789ab ") != std::string::npos);
    CHECK(lines[4].find("300  read") != std::string::npos);
    CHECK(lines[5].find("50  cat") != std::string::npos);
    CHECK(lines[5].find(" host ") != std::string::npos);
    CHECK(lines[4].find('~') == std::string::npos); // nothing was cut
    CHECK(lines[23].find("1         1  Read sensitive file untrusted") != std::string::npos);
}

TEST_CASE("rates are of the time since the last page") {
    Top top;
    page(top, kOneSecond, {});
    Top::Totals later = kOneSecond;
    later.events += 400;
    later.ns += 2'000'000'000;
    CHECK(page(top, later, {})[0].find("   200 events/s   0 drops/s") != std::string::npos);
}

TEST_CASE("the first period begins with the session, and not with the machine") {
    Top top(500'000'000);
    CHECK(page(top, kOneSecond, {})[0].find("   2000 events/s   20 drops/s") != std::string::npos);
}

TEST_CASE("a kernel filter that keeps events back is shown, with its rate and its total") {
    Top top;
    Top::Totals totals = kOneSecond;
    CHECK(page(top, totals, {})[2].find("filter:") == std::string::npos);
    totals.filtered = 7000;
    totals.ns += 2'000'000'000;
    const auto lines = page(top, totals, {.columns = 80, .rows = 24});
    CHECK(lines[2].starts_with("kernel filter: keeps back 3500 events/s, 7000 so far "));
    CHECK(lines.size() == 24);
    totals.ns += 1'000'000'000;
    CHECK(page(top, totals, {})[2].starts_with("kernel filter: keeps back 0 events/s, 7000 "));
}

TEST_CASE("names of the watched cannot steer the terminal") {
    Top top;
    top.count("\x1b[2J\nevil", "", "read");
    Buffer out;
    top.take(kOneSecond);
    top.append_page(out, {}, {});
    CHECK(fmt::to_string(out).find("?[2J?evil") != std::string::npos);
    CHECK(fmt::to_string(out).find("\x1b[2J") == std::string::npos);
}

TEST_CASE("a tally of many names stays small") {
    Tally tally;
    for (std::size_t i = 0; i < 3 * Tally::kMost; ++i)
        tally.add("name" + std::to_string(i));
    const auto counts = tally.take();
    REQUIRE(counts.size() == Tally::kMost + 1);
    CHECK(counts[0] == std::pair<std::string, std::uint64_t>("(others)", 2 * Tally::kMost));
    CHECK(tally.take().empty());
}

TEST_CASE("a terminal that is too small gets the smallest page") {
    Top top;
    CHECK(page(top, kOneSecond, {.columns = 1, .rows = 1}).size() == 10);
}

TEST_CASE("a page sorts, filters, and shows what is typed") {
    Top top;
    for (int i = 0; i < 3; ++i)
        top.count("zsh", "aaa", "read");
    top.count("bash", "bbb", "write");
    const auto first = [&top](const Top::View& view) {
        Buffer out;
        top.append_page(out, {}, view);
        const std::string text = fmt::to_string(out);
        return text.find("zsh") < text.find("bash") ? "zsh" : "bash";
    };
    page(top, kOneSecond, {});
    CHECK(first({}) == std::string("zsh"));
    CHECK(first({.sort = Top::Sort::name, .filter = {}}) == std::string("bash"));
    CHECK(first({.sort = Top::Sort::container, .filter = {}}) == std::string("zsh"));
    CHECK(first({.filter = "BASH"}) == std::string("bash"));
    CHECK(first({.filter = "bbb"}) == std::string("bash"));
    Buffer out;
    top.append_page(out, {}, {.filter = "ba", .is_typing = true});
    CHECK(fmt::to_string(out).find("filter: ba_") != std::string::npos);
}

TEST_CASE("rules keep their totals over periods") {
    Top top;
    top.match("One");
    page(top, kOneSecond, {});
    top.match("One");
    Top::Totals later = kOneSecond;
    later.ns += 1'000'000'000;
    CHECK(page(top, later, {}).back().find("1         2  One") != std::string::npos);
    later.ns += 1'000'000'000;
    CHECK(page(top, later, {}).back().find("0         2  One") != std::string::npos);
}

TEST_CASE("in a pipe there are lines, without control sequences") {
    Top top;
    top.count("\x1b[2Jcat", "", "read");
    top.match("One");
    Top::Totals totals = kOneSecond;
    totals.filtered = 20;
    top.take(totals);
    Buffer out;
    top.append_lines(out, "17:35:42");
    CHECK(fmt::to_string(out) ==
          "17:35:42 events 1000/s dropped 10/s filtered 20/s lag 12.3 ms threads 75\n"
          "17:35:42 process 1/s \\x1b[2Jcat host\n"
          "17:35:42 rule 1/s total 1 One\n");
}

TEST_CASE("each destination of the courier has a line, which leaves room for the processes") {
    Top top;
    top.count("cat", "", "openat");
    top.set_destinations({"siem: connected, 5 sent", "archive: not connected, 0 sent", "c", "d"});
    const auto lines = page(top, kOneSecond, {.columns = 80, .rows = 24});
    CHECK(lines.size() == 24);
    CHECK(lines[3].starts_with("destination siem: connected, 5 sent "));
    CHECK(lines[4].starts_with("destination archive: not connected, 0 sent "));
    CHECK(lines[8].find("1  cat") != std::string::npos);
    CHECK(page(top, kOneSecond, {.columns = 80, .rows = 10}).size() == 10);
    Buffer out;
    top.append_lines(out, "T");
    CHECK(fmt::to_string(out).find("T destination siem: connected, 5 sent\n") != std::string::npos);
}
