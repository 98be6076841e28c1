// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "analyzer/report/live_page.h"

using namespace tiercel;

TEST_CASE("no name leaves its cell, or turns what is beside it") {
    output::Buffer out;
    report::append_html(out, "<script>&\"\xe2\x80\xae\x1b");
    CHECK(fmt::to_string(out) == "&lt;script&gt;&amp;&quot;\\u202e\\x1b");
}

TEST_CASE("the live page has alerts, the newest first, destinations and rules that matched") {
    const state::StateTracker tracker;
    const output::Metrics metrics{
        .engine = tracker,
        .events = 1000,
        .ns = 2'000'000'000,
        .live = {},
        .driver = "replay",
        .rules = {{"Silent", "Notice", "syscall", 0}, {"Loud <b>", "Warning", "syscall", 7}},
        .queues = {{"stdout", 1, 2, 3, 4}},
        .destinations = {{"hook <i>", 5, 6, 7, 8, 9, 10, false}},
        .lag_ns = 1'500'000,
        .rss_bytes = 2048,
        .cpu_ns = 0};
    output::Buffer out;
    report::append_live_page(out, metrics,
                             {{1, "First", "old", "Notice"}, {2, "Second", "new", "Warning"}});
    const std::string page = fmt::to_string(out);
    CHECK(page.starts_with("<!DOCTYPE html>"));
    CHECK(page.ends_with("</html>\n"));
    CHECK(page.find("default-src 'none'") != std::string::npos);
    CHECK(page.find("<script") == std::string::npos);
    CHECK(page.find("on average <b>500</b> a second") != std::string::npos);
    CHECK(page.find("<td>hook &lt;i&gt;</td><td>no</td><td class=\"number\">5</td>") !=
          std::string::npos);
    CHECK(page.find("Second") < page.find("First"));
    CHECK(page.find("Loud &lt;b&gt;") != std::string::npos);
    CHECK(page.find("Silent") == std::string::npos);
    CHECK(page.find("<td>stdout</td><td class=\"number\">2</td>") != std::string::npos);
}
