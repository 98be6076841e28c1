// SPDX-License-Identifier: Apache-2.0
#include "analyzer/report/live_page.h"

#include <algorithm>

#include "analyzer/output/alerts/alert.h"
#include "analyzer/output/append.h"
#include "analyzer/report/page.h"
#include "shared/escape/escape.h"

namespace tiercel::report {

namespace {

constexpr std::size_t kMostRules = 50;

class HtmlTable {
  public:
    HtmlTable(output::Buffer& out, std::string_view title, std::initializer_list<const char*> heads)
        : out_(out) {
        fmt::format_to(fmt::appender(out_), "<section><h2>{}</h2><table><thead><tr>", title);
        for (const char* head : heads)
            fmt::format_to(fmt::appender(out_), "<th>{}</th>", head);
        output::append(out_, "</tr></thead><tbody>\n");
    }
    template <typename... Cells>
    void row(const Cells&... cells) {
        output::append(out_, "<tr>");
        (cell(cells), ...);
        output::append(out_, "</tr>\n");
    }
    void end() { output::append(out_, "</tbody></table></section>\n"); }

  private:
    void cell(std::string_view text) {
        output::append(out_, "<td>");
        append_html(out_, text);
        output::append(out_, "</td>");
    }
    void cell(std::uint64_t number) {
        fmt::format_to(fmt::appender(out_), "<td class=\"number\">{}</td>", number);
    }
    output::Buffer& out_;
};

void append_facts(output::Buffer& out, const output::Metrics& metrics) {
    const double seconds = std::max(static_cast<double>(metrics.ns) / 1e9, 1e-3);
    const auto to = fmt::appender(out);
    fmt::format_to(to,
                   "<ul id=\"facts\"><li>driver <b>{}</b></li><li>running <b>{:.0f} s</b></li>"
                   "<li>events <b>{}</b></li><li>a second <b>{:.0f}</b></li>"
                   "<li>lag <b>{:.1f} ms</b></li><li>processor <b>{:.2f} s</b></li>"
                   "<li>memory <b>{} KiB</b></li>",
                   metrics.driver, seconds, metrics.events,
                   static_cast<double>(metrics.events) / seconds,
                   static_cast<double>(metrics.lag_ns) / 1e6,
                   static_cast<double>(metrics.cpu_ns) / 1e9, metrics.rss_bytes >> 10);
    if (metrics.live)
        fmt::format_to(
            to,
            "<li>dropped <b>{}</b></li>"
            "<li>capabilities were held <b>{:.3f} s</b>, while the probe was loaded</li>",
            metrics.live->counters.total().dropped(),
            static_cast<double>(metrics.live->load_ns) / 1e9);
    output::append(out, "</ul>\n");
}

} // namespace

void append_html(output::Buffer& out, std::string_view text) {
    output::Buffer shown;
    escape::append_text(shown, text);
    for (const char c : std::string_view(shown.data(), shown.size()))
        switch (c) {
        case '<': output::append(out, "&lt;"); break;
        case '>': output::append(out, "&gt;"); break;
        case '&': output::append(out, "&amp;"); break;
        case '"': output::append(out, "&quot;"); break;
        default: out.push_back(c);
        }
}

void append_live_page(output::Buffer& out, const output::Metrics& metrics,
                      const std::deque<RecentAlert>& alerts) {
    output::append(out, kLiveHead);
    append_facts(out, metrics);
    HtmlTable recent(out, "Last alerts", {"Time", "Priority", "Rule", "Message"});
    for (auto alert = alerts.rbegin(); alert != alerts.rend(); ++alert)
        recent.row(alerts::iso_time(alert->time_ns), alert->priority, alert->rule, alert->message);
    recent.end();
    HtmlTable outputs(out, "Destinations", {"Output", "Written", "Waiting", "Discarded", "Failed"});
    for (const output::Metrics::Queue& queue : metrics.queues)
        outputs.row(queue.name, queue.written, queue.waiting, queue.discarded, queue.failed);
    outputs.end();
    auto rules = metrics.rules;
    std::ranges::stable_sort(rules, std::greater(), &output::Metrics::Rule::matches);
    HtmlTable matched(out, "Rules that matched", {"Rule", "Priority", "Matches"});
    for (std::size_t i = 0; i < std::min(kMostRules, rules.size()) && rules[i].matches > 0; ++i)
        matched.row(rules[i].name, rules[i].priority, rules[i].matches);
    matched.end();
    output::append(out, kLiveTail);
}

} // namespace tiercel::report
