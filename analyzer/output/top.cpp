// SPDX-License-Identifier: Apache-2.0
//
// Counts events by name, and draws the page of --top.
#include "analyzer/output/top.h"

#include <algorithm>
#include <cctype>

#include "analyzer/output/append.h"
#include "shared/escape/escape.h"

namespace tiercel::output {

namespace {

constexpr std::string_view kHome = "\x1b[H", kClearLine = "\x1b[K", kBold = "\x1b[1m",
                           kOff = "\x1b[0m";
constexpr std::string_view kHost = "host";
constexpr std::size_t kContainerColumns = 13, kRateColumns = 11;
constexpr std::size_t kLines = 10; // of processes, in a pipe

// Returns printable text of exactly `width` columns. Watched processes choose these names, so
// control characters and bytes beyond ASCII become '?'.
std::string fit(std::string_view text, std::size_t width) {
    std::string fitted;
    for (const char c : text.substr(0, width))
        fitted += c >= ' ' && c <= '~' ? c : '?';
    if (text.size() > width && width > 0)
        fitted.back() = '~';
    fitted.resize(width, ' ');
    return fitted;
}

bool contains(std::string_view text, std::string_view part) {
    const auto same = [](unsigned char a, unsigned char b) {
        return std::tolower(a) == std::tolower(b);
    };
    return std::search(text.begin(), text.end(), part.begin(), part.end(), same) != text.end() ||
           part.empty();
}

std::string rate_text(double rate) {
    return fmt::format("{:>9.0f}  ", rate);
}

class Page {
  public:
    Page(Buffer& out, TerminalSize size) : out_(out), size_(size) { append(out_, kHome); }
    void line(std::string_view text, bool bold = false) {
        if (used_ == size_.rows)
            return;
        append(out_, used_++ == 0 ? "" : "\r\n");
        text = text.substr(0, text.find_last_not_of(' ') + 1);
        append(out_, bold ? kBold : "");
        append(out_, fit(text, size_.columns - 1)); // the last column would wrap on some terminals
        append(out_, bold ? kOff : "");
        append(out_, kClearLine);
    }
    unsigned left() const { return size_.rows - used_; }

  private:
    Buffer& out_;
    TerminalSize size_;
    unsigned used_ = 0;
};

} // namespace

void Tally::add(std::string_view name) {
    if (const auto found = counts_.find(name); found != counts_.end())
        ++found->second;
    else if (counts_.size() < kMost)
        counts_.emplace(name, 1);
    else
        ++counts_["(others)"];
}

std::vector<std::pair<std::string, std::uint64_t>> Tally::take() {
    std::vector<std::pair<std::string, std::uint64_t>> sorted(counts_.begin(), counts_.end());
    counts_.clear();
    std::ranges::sort(sorted, [](const auto& left, const auto& right) {
        return left.second != right.second ? left.second > right.second : left.first < right.first;
    });
    return sorted;
}

// A container's id holds no NUL, and neither does a process's name.
void Top::count(std::string_view process, std::string_view container, std::string_view type) {
    key_.assign(process);
    key_ += '\0';
    key_ += container.empty() ? kHost : container;
    processes_.add(key_);
    types_.add(type);
}

void Top::take(const Totals& totals) {
    before_ = now_;
    now_ = totals;
    seconds_ = std::max(static_cast<double>(now_.ns - before_.ns) / 1e9, 1e-3); // never by zero
    last_processes_.clear();
    for (auto& [key, count] : processes_.take()) {
        const std::size_t end = std::min(key.find('\0'), key.size());
        last_processes_.push_back(
            {key.substr(0, end), key.substr(std::min(end + 1, key.size())), count});
    }
    last_types_ = types_.take();
    last_rules_ = rules_.take();
}

std::vector<Top::Process> Top::shown_processes(const View& view) const {
    std::vector<Process> rows;
    for (const Process& row : last_processes_)
        if (contains(row.name, view.filter) || contains(row.container, view.filter))
            rows.push_back(row);
    switch (view.sort) {
    case Sort::events: break; // take() has sorted them
    case Sort::name: std::ranges::stable_sort(rows, {}, &Process::name); break;
    case Sort::container: std::ranges::stable_sort(rows, {}, &Process::container); break;
    }
    return rows;
}

std::string Top::status_line(const View& view) const {
    if (view.is_typing)
        return "filter: " + view.filter + "_   (Enter keeps it, Esc clears it)";
    std::string line = view.is_paused ? "PAUSED   " : "";
    if (!view.filter.empty())
        line += "filter: " + view.filter + "   ";
    return line + "q ends  p pauses  / filters  sort by: e events, n name, c container";
}

void Top::append_page(Buffer& out, TerminalSize size, const View& view) const {
    size = {std::max(size.columns, 40U), std::max(size.rows, 10U)};
    Page page(out, size);
    page.line(fmt::format("tiercel   {:.0f} events/s   {:.0f} drops/s   {} events, {} dropped{}{}",
                          rate(now_.events - before_.events), rate(now_.drops - before_.drops),
                          now_.events, now_.drops, now_.drop_reason.empty() ? "" : ": ",
                          now_.drop_reason),
              true);
    page.line(fmt::format("lag {:.1f} ms   ring {} of {} KiB   {} threads",
                          static_cast<double>(now_.lag_ns) / 1e6, now_.ring_used >> 10,
                          now_.ring_bytes >> 10, now_.threads));
    if (now_.filtered > 0)
        page.line(fmt::format("kernel filter: keeps back {:.0f} events/s, {} so far",
                              rate(now_.filtered - before_.filtered), now_.filtered));
    page.line(status_line(view));
    // Destinations get a third of what is left, so that the processes keep their place.
    for (std::size_t i = 0; i < std::min(destinations_.size(), std::size_t{size.rows} / 3); ++i)
        page.line("destination " + destinations_[i]);
    // Rules get a third of what is left, if there are any.
    const auto matches = [&view](const auto& row) { return contains(row.first, view.filter); };
    std::vector<std::pair<std::string, std::uint64_t>> types, rules;
    std::ranges::copy_if(last_types_, std::back_inserter(types), matches);
    std::ranges::copy_if(all_rules_.counts(), std::back_inserter(rules), matches);
    std::ranges::sort(rules, [](const auto& left, const auto& right) {
        return left.second != right.second ? left.second > right.second : left.first < right.first;
    });
    rules.resize(std::min<std::size_t>(rules.size(), (page.left() - 3) / 3));
    const std::size_t for_rules = rules.empty() ? 0 : rules.size() + 2;
    const std::size_t rows = page.left() - 1 - for_rules;
    const auto processes = shown_processes(view);
    const std::size_t left = size.columns * 5 / 8;
    const std::size_t name = left > kRateColumns + kContainerColumns + 1
                                 ? left - kRateColumns - kContainerColumns - 1
                                 : 1;
    page.line(" EVENTS/s  " + fit("PROCESS", name) + ' ' + fit("CONTAINER", kContainerColumns) +
                  " EVENTS/s  TYPE",
              true);
    for (std::size_t row = 0; row < rows; ++row) {
        std::string line(left, ' ');
        if (row < processes.size())
            line = rate_text(rate(processes[row].count)) + fit(processes[row].name, name) + ' ' +
                   fit(processes[row].container, kContainerColumns);
        if (row < types.size())
            line += rate_text(rate(types[row].second)) + types[row].first;
        page.line(line);
    }
    if (for_rules == 0)
        return;
    page.line("");
    page.line("MATCHES/s     TOTAL  RULE", true);
    for (const auto& [rule, total] : rules) {
        const auto last = std::ranges::find(
            last_rules_, rule, [](const auto& each) -> const std::string& { return each.first; });
        page.line(fmt::format("{:>9.0f} {:>9}  {}",
                              last == last_rules_.end() ? 0 : rate(last->second), total, rule));
    }
}

void Top::append_lines(Buffer& out, std::string_view time) const {
    const auto to = fmt::appender(out);
    fmt::format_to(
        to, "{} events {:.0f}/s dropped {:.0f}/s filtered {:.0f}/s lag {:.1f} ms threads {}\n",
        time, rate(now_.events - before_.events), rate(now_.drops - before_.drops),
        rate(now_.filtered - before_.filtered), static_cast<double>(now_.lag_ns) / 1e6,
        now_.threads);
    for (std::size_t i = 0; i < std::min(kLines, last_processes_.size()); ++i) {
        const Process& row = last_processes_[i];
        fmt::format_to(to, "{} process {:.0f}/s ", time, rate(row.count));
        escape::append_text(out, row.name);
        out.push_back(' ');
        escape::append_text(out, row.container);
        out.push_back('\n');
    }
    for (const std::string& destination : destinations_) {
        fmt::format_to(to, "{} destination ", time);
        escape::append_text(out, destination);
        out.push_back('\n');
    }
    for (const auto& [rule, count] : last_rules_) {
        fmt::format_to(to, "{} rule {:.0f}/s total {} ", time, rate(count),
                       all_rules_.counts().find(rule)->second);
        escape::append_text(out, rule);
        out.push_back('\n');
    }
}

} // namespace tiercel::output
