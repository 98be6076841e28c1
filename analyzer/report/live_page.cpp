// SPDX-License-Identifier: Apache-2.0
#include "analyzer/report/live_page.h"

#include <algorithm>

#include "analyzer/output/alerts/alert.h"
#include "analyzer/output/append.h"
#include "analyzer/report/page.h"
#include "shared/escape/escape.h"
#include "shared/wire/capabilities.h"
#include "shared/wire/client.h"

namespace tiercel::report {

namespace {

constexpr std::size_t kMostRules = 50;

// A text of ours that is not broken over lines.
struct Whole {
    std::string_view text, style;
};

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
    void cell(Whole whole) {
        fmt::format_to(fmt::appender(out_), "<td class=\"{}\">{}</td>", whole.style, whole.text);
    }
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
                   "<li>events <b>{}</b></li><li>on average <b>{:.0f}</b> a second</li>"
                   "<li>lag <b>{:.1f} ms</b></li><li>processor <b>{:.2f} s</b></li>"
                   "<li>memory <b>{} KiB</b></li>",
                   metrics.driver, seconds, metrics.events,
                   static_cast<double>(metrics.events) / seconds,
                   static_cast<double>(metrics.lag_ns) / 1e6,
                   static_cast<double>(metrics.cpu_ns) / 1e9, metrics.rss_bytes >> 10);
    if (metrics.live)
        fmt::format_to(
            to,
            "<li>now <b>{:.0f}</b> a second</li><li>dropped <b>{}</b></li>"
            "<li>drops now <b>{:.0f}</b> a second</li><li>kept back by the kernel filter "
            "<b>{}</b></li>",
            metrics.event_rate, metrics.live->counters.total().dropped(), metrics.drop_rate,
            metrics.live->counters.total().filtered);
    output::append(out, "</ul>\n");
}

// The alerts' outputs here, and what the courier does with those that it has.
void append_destinations(output::Buffer& out, const output::Metrics& metrics) {
    HtmlTable outputs(out, "Outputs", {"Output", "Written", "Waiting", "Discarded", "Failed"});
    for (const output::Metrics::Queue& queue : metrics.queues)
        outputs.row(queue.name, queue.written, queue.waiting, queue.discarded, queue.failed);
    outputs.end();
    if (metrics.destinations.empty())
        return;
    HtmlTable destinations(out, "Destinations of the courier",
                           {"Destination", "Connected", "Sent", "Failed", "Dropped", "Tried again",
                            "Bytes waiting", "Oldest, seconds"});
    for (const output::Metrics::Destination& each : metrics.destinations)
        destinations.row(each.name, each.connected ? "yes" : "no", each.sent, each.failed,
                         each.dropped, each.retried, each.spooled_bytes, each.oldest_age_seconds);
    destinations.end();
}

// Which capability the process that loaded the probe has held, and how long.
void append_capabilities(output::Buffer& out, const output::Metrics& metrics) {
    if (!metrics.live)
        return;
    HtmlTable held(out, "Capabilities that were held to load the probe", {"Capability", "Seconds"});
    for (const wire::CapabilityRow& row : wire::kCapabilityTable)
        if (const std::uint64_t ns = wire::client::held_ns(metrics.live->held, row.number); ns > 0)
            held.row(row.name, fmt::format("{:.3f}", static_cast<double>(ns) / 1e9));
    held.end();
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
        recent.row(Whole{alerts::iso_time(alert->time_ns), "time"},
                   Whole{alert->priority, "priority"}, alert->rule, alert->message);
    recent.end();
    append_destinations(out, metrics);
    auto rules = metrics.rules;
    std::ranges::stable_sort(rules, std::greater(), &output::Metrics::Rule::matches);
    HtmlTable matched(out, "Rules that matched", {"Rule", "Priority", "Matches"});
    for (std::size_t i = 0; i < std::min(kMostRules, rules.size()) && rules[i].matches > 0; ++i)
        matched.row(rules[i].name, rules[i].priority, rules[i].matches);
    matched.end();
    append_capabilities(out, metrics);
    output::append(out, kLiveTail);
}

} // namespace tiercel::report
