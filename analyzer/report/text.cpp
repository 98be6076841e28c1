// SPDX-License-Identifier: Apache-2.0
//
// Prints the process tree and the timeline of an incident as lines of text or JSON.
#include "analyzer/report/text.h"

#include <algorithm>
#include <ctime>

#include "analyzer/output/alerts/alert.h"
#include "analyzer/output/append.h"
#include "analyzer/report/selection.h"
#include "shared/escape/escape.h"

namespace tiercel::report {

namespace {

constexpr std::uint64_t kMillisecond = 1'000'000, kSecond = 1000 * kMillisecond;
constexpr int kRed = 31, kGreen = 32, kQuiet = 2;

// Returns "17:35:42.999", local.
std::string clock_text(std::uint64_t ns) {
    const auto seconds = static_cast<std::time_t>(ns / kSecond);
    std::tm local{};
    localtime_r(&seconds, &local);
    return fmt::format("{:02}:{:02}:{:02}.{:03}", local.tm_hour, local.tm_min, local.tm_sec,
                       ns % kSecond / kMillisecond);
}

std::string escaped(std::string_view text) {
    output::Buffer buffer;
    escape::append_text(buffer, text);
    return fmt::to_string(buffer);
}

// Returns true if a terminal may show the character, of valid UTF-8, in two columns. The ranges
// cover the characters whose East_Asian_Width in Unicode 15 is W or F, and some others between
// them.
bool is_wide(std::string_view character) {
    static constexpr std::pair<std::string_view, std::string_view> kWide[] = {
        {"\u1100", "\u115f"},         {"\u231a", "\u231b"},         {"\u23e9", "\u23f3"},
        {"\u25fd", "\u25fe"},         {"\u2614", "\u2615"},         {"\u2648", "\u2653"},
        {"\u267f", "\u27bf"},         {"\u2b1b", "\u2b55"},         {"\u2e80", "\ua4cf"},
        {"\ua960", "\ua97f"},         {"\uac00", "\ud7a3"},         {"\uf900", "\ufaff"},
        {"\ufe10", "\ufe6f"},         {"\uff01", "\uff60"},         {"\uffe0", "\uffe6"},
        {"\U00016fe0", "\U0001b2ff"}, {"\U0001f004", "\U0001faff"}, {"\U00020000", "\U0003fffd"},
    };
    // UTF-8 sorts as its code points do.
    const auto* found = std::ranges::lower_bound(kWide, character, {},
                                                 [](const auto& range) { return range.second; });
    return found != std::end(kWide) && character >= found->first;
}

// A line that is cut at the terminal's edge.
class Line {
  public:
    Line(output::Buffer& out, const TextStyle& style) : out_(out), style_(style) {}
    void add(std::string_view text, int colour = 0) {
        std::size_t bytes = 0;
        while (bytes < text.size()) {
            std::size_t end = bytes + 1;
            while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80)
                ++end;
            const std::size_t columns = is_wide(text.substr(bytes, end - bytes)) ? 2 : 1;
            if (used_ + columns > style_.columns) {
                used_ = style_.columns; // what follows is cut, too
                break;
            }
            used_ += columns;
            bytes = end;
        }
        if (bytes == 0)
            return;
        const bool coloured = style_.colour && colour != 0;
        if (coloured)
            fmt::format_to(fmt::appender(out_), "\x1b[{}m", colour);
        output::append(out_, text.substr(0, bytes));
        if (coloured)
            output::append(out_, "\x1b[0m");
    }
    void end() { out_.push_back('\n'); }

  private:
    output::Buffer& out_;
    const TextStyle& style_;
    std::size_t used_ = 0;
};

// Appends members of a JSON object, each text escaped.
class Object {
  public:
    explicit Object(output::Buffer& out) : out_(out) { out_.push_back('{'); }
    void text(std::string_view key, std::string_view value) {
        name(key);
        escape::append_json(out_, value);
    }
    void number(std::string_view key, std::int64_t value) {
        name(key);
        fmt::format_to(fmt::appender(out_), "{}", value);
    }
    void time(std::string_view key, std::uint64_t ns) {
        if (ns != 0)
            text(key, alerts::iso_time(ns));
    }
    void end() { output::append(out_, "}\n"); }

  private:
    void name(std::string_view key) {
        fmt::format_to(fmt::appender(out_), "{}\"{}\":", first_ ? "" : ",", key);
        first_ = false;
    }
    output::Buffer& out_;
    bool first_ = true;
};

std::string user_of(const Summary& summary, const ProcessRow& row) {
    return row.last_user == kNone ? std::string() : name_of(summary.users()[row.last_user]);
}

std::string container_of(const Summary& summary, const ProcessRow& row) {
    return row.container == kNone ? std::string() : name_of(summary.containers()[row.container]);
}

void append_owner(Object& object, const Summary& summary, const ProcessRow& row) {
    object.text("proc.name", row.name);
    object.number("proc.pid", row.pid);
    if (const std::string user = user_of(summary, row); !user.empty())
        object.text("user", user);
    if (row.container != kNone)
        object.text("container.id", summary.containers()[row.container].id);
}

void append_object(output::Buffer& out, const Summary& summary, const ProcessRow& row) {
    Object object(out);
    append_owner(object, summary, row);
    object.number("proc.ppid", row.ppid);
    object.text("proc.exepath", row.exe);
    object.text("proc.cmdline", row.command);
    object.time("started", row.started_ns);
    object.time("ended", row.ended_ns);
    if (row.ended_ns != 0)
        object.text("end", end_of(row));
    object.number("events", static_cast<std::int64_t>(row.events));
    object.number("alerts", static_cast<std::int64_t>(row.alerts));
    object.end();
}

class Tree {
  public:
    Tree(output::Buffer& out, const Summary& summary, const TextStyle& style)
        : out_(out), summary_(summary), style_(style), shown_(summary.processes().size()),
          children_(summary.processes().size()) {
        const auto& rows = summary.processes();
        for (std::uint32_t i = 0; i < rows.size(); ++i)
            if (rows[i].events > 0 || rows[i].is_running)
                for (std::uint32_t at = i; at != kNone && !shown_[at]; at = rows[at].parent)
                    shown_[at] = true;
        for (std::uint32_t i = 0; i < rows.size(); ++i)
            if (shown_[i])
                (rows[i].parent == kNone ? roots_ : children_[rows[i].parent]).push_back(i);
        sort(roots_);
        for (Order& children : children_)
            sort(children);
    }

    void append() {
        // A stack in place of recursion, because processes choose the depth.
        struct Waiting {
            std::uint32_t row;
            std::string before; // the lines of its ancestors
            bool is_last, is_root;
        };
        std::vector<Waiting> waiting;
        const auto push = [&](const Order& rows, const std::string& before, bool is_root) {
            for (std::size_t i = rows.size(); i > 0; --i)
                waiting.push_back({rows[i - 1], before, i == rows.size(), is_root});
        };
        push(roots_, "", true);
        while (!waiting.empty()) {
            const Waiting next = std::move(waiting.back());
            waiting.pop_back();
            print(next.row, next.is_root ? "" : next.before + (next.is_last ? "└─" : "├─"));
            const std::string before = next.is_root || next.before.size() > 4 * style_.columns
                                           ? next.before
                                           : next.before + (next.is_last ? "  " : "│ ");
            push(children_[next.row], before, false);
        }
    }

  private:
    // The eldest first. The tables, from which running processes come, have no order.
    void sort(Order& order) const {
        std::ranges::stable_sort(order, {}, [this](std::uint32_t index) {
            const ProcessRow& row = summary_.processes()[index];
            return std::pair(row.started_ns, row.pid);
        });
    }
    void print(std::uint32_t index, const std::string& before) {
        const ProcessRow& row = summary_.processes()[index];
        if (style_.json)
            return append_object(out_, summary_, row);
        Line line(out_, style_);
        line.add(before, kQuiet);
        line.add(row.name.empty() ? "?" : escaped(row.name), row.ended_ns != 0 ? kQuiet : kGreen);
        line.add(fmt::format(" {}", row.pid));
        if (const std::string user = user_of(summary_, row); !user.empty())
            line.add(' ' + escaped(user));
        if (const std::string container = container_of(summary_, row); !container.empty())
            line.add(" [" + escaped(container) + ']');
        if (row.alerts > 0)
            line.add(fmt::format(" {} alert{}", row.alerts, row.alerts > 1 ? "s" : ""), kRed);
        if (row.ended_ns != 0)
            line.add(' ' + end_of(row), kQuiet);
        if (row.command != row.name)
            line.add("  " + escaped(row.command), kQuiet);
        line.end();
    }

    output::Buffer& out_;
    const Summary& summary_;
    const TextStyle& style_;
    std::vector<bool> shown_;
    std::vector<Order> children_;
    Order roots_;
};

struct StepWord {
    StepKind kind;
    std::string_view word;
    int colour;
};

const StepWord& word_of(StepKind kind) {
    static constexpr StepWord kWords[] = {
#define STEP(symbol, word, colour) {StepKind::symbol, word, colour},
#include "analyzer/report/steps.def"
#undef STEP
    };
    return kWords[static_cast<std::size_t>(kind)];
}

// What the step is about, as text.
std::string object_of(const ProcessRow* row, const Step& step) {
    if (step.kind == StepKind::exit && row != nullptr)
        return end_of(*row);
    if (step.kind == StepKind::change)
        return std::string(step.text) + " (" + words_of_changes(step.changes) + ')';
    return std::string(step.text);
}

} // namespace

void append_tree(output::Buffer& out, const Summary& summary, const TextStyle& style) {
    Tree(out, summary, style).append();
}

void append_step(output::Buffer& out, const Summary& summary, const Step& step,
                 const TextStyle& style) {
    const ProcessRow* row = step.process == kNone ? nullptr : &summary.processes()[step.process];
    const StepWord& word = word_of(step.kind);
    const std::string what = object_of(row, step);
    if (style.json) {
        Object object(out);
        object.time("time", step.ns);
        object.number("evt.num", static_cast<std::int64_t>(step.number));
        object.text("step", word.word);
        if (row != nullptr)
            append_owner(object, summary, *row);
        object.text("what", what);
        return object.end();
    }
    Line line(out, style);
    line.add(clock_text(step.ns) + ' ', kQuiet);
    if (row != nullptr) {
        line.add(row->name.empty() ? "?" : escaped(row->name), kGreen);
        line.add(fmt::format(" {}", row->pid));
        if (const std::string container = container_of(summary, *row); !container.empty())
            line.add(" [" + escaped(container) + ']');
    }
    line.add(fmt::format("{}{}", row != nullptr ? " " : "", word.word), word.colour);
    line.add(what.empty() ? "" : ' ' + escaped(what));
    line.end();
}

} // namespace tiercel::report
