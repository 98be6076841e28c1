// SPDX-License-Identifier: Apache-2.0
//
// Writes the summary as JSON: rows are arrays, because names of members would take most of the
// space. page/page.js names the columns, in the same order.
#include "analyzer/report/json.h"

#include <algorithm>

#include "analyzer/output/append.h"
#include "analyzer/report/selection.h"
#include "shared/escape/escape.h"

namespace tiercel::report {

namespace {

// Bytes that each list may take.
struct Budget {
    std::size_t alerts = 500'000, rules = 200'000, processes = 1'000'000, files = 900'000,
                connections = 400'000, containers = 80'000, users = 40'000, lines = 1'600'000;
};

class Writer {
  public:
    Writer(output::Buffer& out, const Summary& summary, const Facts& facts)
        : out_(out), summary_(summary), facts_(facts),
          line_numbers_(summary.excerpts().size(), kNone),
          process_numbers_(summary.processes().size(), kNone) {}

    void write();

  private:
    void plain(std::string_view json) { output::append(out_, json); }
    void text(std::string_view value);
    void quote(std::string_view shown);
    void number(std::uint64_t value) { fmt::format_to(fmt::appender(out_), "{}", value); }
    void index(std::uint32_t value) { value == kNone ? plain("-1") : number(value); }
    // ns since the first event; null if `ns` is 0.
    void time(std::uint64_t ns);
    void lines(const std::vector<std::uint32_t>& lines, std::size_t most);
    // Gives the line a place in the page, if there is room.
    void claim(std::uint32_t line);
    std::uint32_t process(std::uint32_t row) const {
        return row == kNone ? kNone : process_numbers_[row];
    }

    // Writes "name":[…] with the rows in this order, as many as fit, and notes how many do not.
    template <typename WriteRow>
    std::size_t list(const char* name, const Order& order, std::size_t budget, WriteRow write_row);
    void choose_lines(const Order& processes, const Order& files, const Order& connections);
    void write_head();
    void write_alerts();
    void write_rules();
    void write_processes(const Order& order);
    void write_files(const Order& order);
    void write_connections(const Order& order);
    void write_owners();
    void write_lines();
    void write_notes();
    void note(std::string sentence) { notes_.push_back(std::move(sentence)); }
    void note_left_out(std::uint64_t count, std::string_view what);

    output::Buffer& out_;
    const Summary& summary_;
    const Facts& facts_;
    const Budget budget_;
    output::Buffer shown_; // a member, so that its memory is used again
    std::vector<std::uint32_t> line_numbers_, process_numbers_; // by the summary's; kNone: left out
    std::vector<std::uint32_t> shown_lines_;
    std::size_t line_bytes_ = 0;
    std::vector<std::string> notes_;
};

void Writer::text(std::string_view value) {
    shown_.clear();
    escape::append_text(shown_, value);
    quote({shown_.data(), shown_.size()});
}

// Text that append_text() has written holds no control character. append_json() would escape its
// escapes again.
void Writer::quote(std::string_view shown) {
    plain("\"");
    for (const char c : shown)
        switch (c) {
        case '<': plain("\\u003c"); break;
        case '"': plain("\\\""); break;
        case '\\': plain("\\\\"); break;
        default: out_.push_back(c);
        }
    plain("\"");
}

void Writer::time(std::uint64_t ns) {
    if (ns == 0)
        return plain("null");
    fmt::format_to(fmt::appender(out_), "{}", static_cast<std::int64_t>(ns - summary_.first_ns()));
}

void Writer::claim(std::uint32_t line) {
    if (line == kNone || line_numbers_[line] != kNone || line_bytes_ > budget_.lines)
        return;
    line_numbers_[line] = static_cast<std::uint32_t>(shown_lines_.size());
    shown_lines_.push_back(line);
    line_bytes_ += summary_.excerpts()[line].size() + 3;
}

void Writer::lines(const std::vector<std::uint32_t>& lines, std::size_t most) {
    plain("[");
    bool first = true;
    for (std::size_t i = 0; i < lines.size() && i < most; ++i) {
        claim(lines[i]);
        if (line_numbers_[lines[i]] == kNone)
            continue;
        plain(first ? "" : ",");
        number(line_numbers_[lines[i]]);
        first = false;
    }
    plain("]");
}

void Writer::note_left_out(std::uint64_t count, std::string_view what) {
    if (count > 0)
        note(fmt::format("{} {} left out", count, what));
}

template <typename WriteRow>
std::size_t Writer::list(const char* name, const Order& order, std::size_t budget,
                         WriteRow write_row) {
    fmt::format_to(fmt::appender(out_), "\"{}\":[", name);
    const std::size_t begin = out_.size();
    std::size_t written = 0;
    for (const std::uint32_t row : order) {
        if (out_.size() - begin > budget)
            break;
        plain(written == 0 ? "[" : ",\n[");
        write_row(row);
        plain("]");
        ++written;
    }
    plain("],\n");
    note_left_out(order.size() - written, std::string(name) + " of the least importance are");
    return written;
}

// The alerts' own lines come first, then two of each row, as far as there is room. The rest goes to
// the rows in their order.
void Writer::choose_lines(const Order& processes, const Order& files, const Order& connections) {
    static constexpr std::size_t kFair = 2;
    for (const AlertRow& alert : summary_.alerts())
        claim(alert.line);
    const auto claim_of = [this](const Order& order, const auto& rows) {
        for (const std::uint32_t row : order)
            for (std::size_t i = 0; i < std::min(kFair, rows[row].lines.size()); ++i)
                if (line_bytes_ < budget_.lines / 2)
                    claim(rows[row].lines[i]);
    };
    claim_of(processes, summary_.processes());
    claim_of(connections, summary_.connections().rows());
    claim_of(files, summary_.files().rows());
}

void Writer::write_head() {
    plain("{\"version\":");
    text(TIERCEL_VERSION);
    plain(",\"capture\":");
    text(facts_.capture);
    plain(",\"host\":");
    text(facts_.hostname);
    fmt::format_to(fmt::appender(out_), ",\"events\":{},\"start\":\"{}\",\"span\":{},\"changes\":[",
                   summary_.events(), summary_.first_ns(),
                   summary_.last_ns() - summary_.first_ns());
    bool first = true;
    for (const std::string_view word : {
#define FILE_CHANGE(symbol, word) std::string_view(word),
#include "analyzer/report/file_changes.def"
#undef FILE_CHANGE
         }) {
        plain(first ? "" : ",");
        text(word);
        first = false;
    }
    plain("],\n");
}

void Writer::write_alerts() {
    Order order(summary_.alerts().size());
    for (std::uint32_t i = 0; i < order.size(); ++i)
        order[i] = i;
    list("alerts", order, budget_.alerts, [this](std::uint32_t row) {
        const AlertRow& alert = summary_.alerts()[row];
        time(alert.time_ns);
        fmt::format_to(fmt::appender(out_), ",{},{},", alert.number, alert.rule);
        index(process(alert.process));
        plain(",");
        index(alert.line == kNone ? kNone : line_numbers_[alert.line]);
        plain(",");
        text(alert.message);
    });
}

// Rules that did not match are null, so that alerts can refer to rules by their ids.
void Writer::write_rules() {
    plain("\"rules\":[");
    for (std::size_t id = 0; id < summary_.matches().size(); ++id) {
        plain(id == 0 ? "" : ",\n");
        if (summary_.matches()[id] == 0) {
            plain("null");
            continue;
        }
        const rules::Rule& rule = summary_.rules()->rules[id];
        plain("[");
        for (const std::string_view part :
             {std::string_view(rule.name), config::priority_name(rule.priority),
              std::string_view(rule.description), std::string_view(rule.condition),
              std::string_view(rule.output)}) {
            text(cut(part, 4000));
            plain(",");
        }
        fmt::format_to(fmt::appender(out_), "{},[", summary_.matches()[id]);
        bool first = true;
        for (const std::string& tag : rule.tags) {
            plain(first ? "" : ",");
            text(tag);
            first = false;
        }
        plain("]]");
    }
    plain("],\n");
}

void Writer::write_processes(const Order& order) {
    list("processes", order, budget_.processes, [this](std::uint32_t number_of_row) {
        const ProcessRow& row = summary_.processes()[number_of_row];
        fmt::format_to(fmt::appender(out_), "{},{},", row.pid, row.ppid);
        index(process(row.parent));
        for (const std::string& part : {row.name, row.exe, row.command, row.first_command}) {
            plain(",");
            text(part);
        }
        for (const std::uint32_t part : {row.user, row.last_user, row.container}) {
            plain(",");
            index(part);
        }
        for (const std::uint64_t ns : {row.first_ns, row.last_ns, row.started_ns, row.ended_ns}) {
            plain(",");
            time(ns);
        }
        plain(",");
        text(end_of(row));
        fmt::format_to(fmt::appender(out_), ",{},{},{},", row.events, row.execs, row.alerts);
        lines(row.lines, row.alerts > 0 ? row.lines.size() : 12);
    });
}

void Writer::write_files(const Order& order) {
    list("files", order, budget_.files, [this](std::uint32_t number_of_row) {
        const FileRow& row = summary_.files()[number_of_row];
        text(row.path);
        plain(",");
        text(row.given);
        plain(",");
        index(row.container);
        plain(",[");
        bool first = true;
        for (const std::uint32_t user : row.processes) {
            if (process(user) == kNone)
                continue;
            plain(first ? "" : ",");
            number(process(user));
            first = false;
        }
        fmt::format_to(fmt::appender(out_), "],{},{},{},{},{},{},", row.reads, row.writes,
                       row.bytes_read, row.bytes_written, row.failed, row.changes);
        time(row.first_ns);
        plain(",");
        time(row.last_ns);
        fmt::format_to(fmt::appender(out_), ",{},", row.events);
        lines(row.lines, row.lines.size());
    });
}

void Writer::write_connections(const Order& order) {
    list("connections", order, budget_.connections, [this](std::uint32_t number_of_row) {
        const ConnectionRow& row = summary_.connections()[number_of_row];
        index(process(row.process));
        for (const std::string_view part :
             {row.protocol, std::string_view(row.local), std::string_view(row.peer),
              std::string_view(row.name)}) {
            plain(",");
            text(part);
        }
        fmt::format_to(fmt::appender(out_), ",{},{:d},{:d},{},{},", row.port, row.is_incoming,
                       row.failed, row.bytes_in, row.bytes_out);
        time(row.first_ns);
        plain(",");
        time(row.last_ns);
        fmt::format_to(fmt::appender(out_), ",{},", row.events);
        lines(row.lines, row.lines.size());
    });
}

// Containers and users keep their order, because other rows refer to them by number.
void Writer::write_owners() {
    const auto numbered = [](std::size_t rows) {
        Order order(rows);
        for (std::uint32_t i = 0; i < rows; ++i)
            order[i] = i;
        return order;
    };
    list("containers", numbered(summary_.containers().rows().size()), budget_.containers,
         [this](std::uint32_t number_of_row) {
             const ContainerRow& row = summary_.containers()[number_of_row];
             text(row.id);
             for (const std::string_view part :
                  {std::string_view(row.name), std::string_view(row.image), row.runtime}) {
                 plain(",");
                 text(part);
             }
             fmt::format_to(fmt::appender(out_), ",{},{}", row.processes, row.events);
         });
    list("users", numbered(summary_.users().rows().size()), budget_.users,
         [this](std::uint32_t number_of_row) {
             const UserRow& row = summary_.users()[number_of_row];
             text(name_of(row));
             fmt::format_to(fmt::appender(out_), ",{},{},{}", row.uid, row.processes, row.events);
         });
}

void Writer::write_lines() {
    plain("\"lines\":[");
    bool first = true;
    for (const std::uint32_t line : shown_lines_) {
        plain(first ? "" : ",\n");
        quote(summary_.excerpts()[line]); // EventLine has escaped it
        first = false;
    }
    plain("],\n");
}

void Writer::write_notes() {
    note(fmt::format("{} of {} events are shown as text; the others are counted",
                     shown_lines_.size(), summary_.events()));
    note_left_out(summary_.refused_processes(), "events of further processes are");
    note_left_out(summary_.files().refused(), "events of further files are");
    note_left_out(summary_.connections().refused(), "events of further connections are");
    note_left_out(summary_.refused_alerts(), "further alerts are counted with their rules, and");
    if (summary_.cut_texts() + summary_.excerpts().cut_lines() > 0)
        note(fmt::format("{} long texts and {} long lines are cut", summary_.cut_texts(),
                         summary_.excerpts().cut_lines()));
    if (summary_.drop_events() > 0)
        note(fmt::format("the capture has {} drop events: events were lost before it was written",
                         summary_.drop_events()));
    plain("\"notes\":[");
    bool first = true;
    const std::vector<std::string>* const both[] = {&facts_.notes, &notes_};
    for (const auto* list_of_notes : both)
        for (const std::string& sentence : *list_of_notes) {
            plain(first ? "" : ",\n");
            text(sentence);
            first = false;
        }
    plain("]}\n");
}

void Writer::write() {
    const Order processes = order_of_processes(summary_), files = order_of_files(summary_),
                connections = order_of_connections(summary_);
    // About 250 bytes each: further processes would not fit anyway.
    const std::size_t most = budget_.processes / 250;
    for (std::uint32_t i = 0; i < processes.size() && i < most; ++i)
        process_numbers_[processes[i]] = i;
    choose_lines(processes, files, connections);
    write_head();
    write_alerts();
    write_rules();
    write_processes(processes);
    write_connections(connections);
    write_files(files);
    write_owners();
    write_lines();
    write_notes();
}

} // namespace

void append_json(output::Buffer& out, const Summary& summary, const Facts& facts) {
    Writer(out, summary, facts).write();
}

} // namespace tiercel::report
