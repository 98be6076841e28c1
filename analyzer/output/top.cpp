// SPDX-License-Identifier: Apache-2.0
#include "analyzer/output/top.h"

#include <algorithm>

#include "analyzer/output/escape.h"

namespace tiercel::output {

namespace {

constexpr std::string_view kHome = "\x1b[H", kClearLine = "\x1b[K", kBold = "\x1b[1m",
                           kOff = "\x1b[0m";

using Counts = std::vector<std::pair<std::string, std::uint64_t>>;

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

// "  1234  name" in `width` columns; blank beyond the last.
std::string cell(const Counts& counts, std::size_t row, double seconds, std::size_t width) {
    if (row >= counts.size())
        return fit("", width);
    const auto& [name, count] = counts[row];
    const std::string rate = fmt::format("{:>9.0f}  ", static_cast<double>(count) / seconds);
    return fit(rate + fit(name, width > rate.size() ? width - rate.size() : 0), width);
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

Counts Tally::take(std::size_t most) {
    Counts sorted(counts_.begin(), counts_.end());
    counts_.clear();
    const std::size_t kept = std::min(most, sorted.size());
    std::partial_sort(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(kept),
                      sorted.end(), [](const auto& left, const auto& right) {
                          return left.second != right.second ? left.second > right.second
                                                             : left.first < right.first;
                      });
    sorted.resize(kept);
    return sorted;
}

void Top::append_page(Buffer& out, const Totals& totals, TerminalSize size) {
    size = {std::max(size.columns, 40U), std::max(size.rows, 10U)};
    const double seconds =
        std::max(static_cast<double>(totals.ns - last_.ns) / 1e9, 1e-3); // never by zero
    const auto rate = [seconds](std::uint64_t now, std::uint64_t before) {
        return static_cast<double>(now - before) / seconds;
    };
    Page page(out, size);
    page.line(fmt::format("tiercel   {:.0f} events/s   {:.0f} drops/s   {} events, {} dropped",
                          rate(totals.events, last_.events), rate(totals.drops, last_.drops),
                          totals.events, totals.drops),
              true);
    page.line(fmt::format("lag {:.1f} ms   ring {} of {} KiB   {} threads   Ctrl-C ends",
                          static_cast<double>(totals.lag_ns) / 1e6, totals.ring_used >> 10,
                          totals.ring_bytes >> 10, totals.threads));
    page.line("");
    last_ = totals;
    // Rules get a third of what is left, if there are any.
    const Counts rules = rules_.take((page.left() - 3) / 3);
    const std::size_t for_rules = rules.empty() ? 0 : rules.size() + 2;
    const std::size_t rows = page.left() - 1 - for_rules;
    const Counts processes = processes_.take(rows), types = types_.take(rows);
    const std::size_t half = size.columns / 2;
    page.line(fit(" EVENTS/s  PROCESS", half) + " EVENTS/s  TYPE", true);
    for (std::size_t row = 0; row < rows; ++row)
        page.line(cell(processes, row, seconds, half) + cell(types, row, seconds, half));
    if (for_rules == 0)
        return;
    page.line("");
    page.line("MATCHES/s  RULE", true);
    for (std::size_t row = 0; row < rules.size(); ++row)
        page.line(cell(rules, row, seconds, size.columns));
}

} // namespace tiercel::output
