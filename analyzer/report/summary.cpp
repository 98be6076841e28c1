// SPDX-License-Identifier: Apache-2.0
#include "analyzer/report/summary.h"

#include "shared/os/file.h"

namespace tiercel::report {

namespace {

std::uint32_t id_of(filter::Fields& fields, std::string_view name) {
    filter::Fields::Problem problem;
    return fields.resolve(name, problem).value(); // the name is one of ours
}

} // namespace

std::string words_of_changes(std::uint32_t changes) {
    static constexpr std::pair<FileChange, std::string_view> kWords[] = {
#define FILE_CHANGE(symbol, word) {FileChange::symbol, word},
#include "analyzer/report/file_changes.def"
#undef FILE_CHANGE
    };
    std::string words;
    for (const auto& [change, word] : kWords) {
        if ((changes & bit(change)) == 0)
            continue;
        words += words.empty() ? "" : ", ";
        words += word;
    }
    return words;
}

Summary::Summary(filter::Fields& fields, const rules::RuleSet* rules, Scope scope)
    : fields_(fields), rules_(rules),
      scope_(std::move(scope)), paths_{.name = id_of(fields, "fs.path.name"),
                                       .raw = id_of(fields, "fs.path.nameraw"),
                                       .source = id_of(fields, "fs.path.source"),
                                       .target = id_of(fields, "fs.path.target")} {
    if (rules == nullptr)
        return;
    matches_.resize(rules->rules.size());
    filter::Format::Problem problem;
    for (const rules::Rule& rule : rules->rules) // loading has checked the outputs
        outputs_.push_back(filter::Format::compile(rule.output, fields, problem).value());
}

bool Summary::in_scope(const state::Thread* thread, const state::StateTracker& state) {
    if (scope_.container.empty() && scope_.user.empty())
        return true;
    if (thread == nullptr)
        return false;
    if (!scope_.container.empty() && thread->container_id.view() != scope_.container) {
        const state::Container* container = state.containers().find(thread->container_id);
        if (container == nullptr || container->name != scope_.container)
            return false;
    }
    if (scope_.user.empty())
        return true;
    const state::User* user = state.users().user(thread->uid);
    return (user != nullptr && user->name == scope_.user) ||
           os::parse_unsigned(scope_.user) == std::optional<std::uint64_t>(thread->uid);
}

std::string Summary::kept(std::string_view text) {
    const std::string_view whole = cut(text, kMostText);
    if (whole.size() == text.size())
        return std::string(text);
    ++cut_texts_;
    return std::string(whole) + "… (" + std::to_string(text.size()) + " bytes)";
}

void Summary::count(const Event& event, Row& row, std::size_t most) {
    if (++row.events == 1 || row.first_ns == 0)
        row.first_ns = event.view.ts();
    row.last_ns = event.view.ts();
    if (row.lines.size() >= most)
        return;
    const std::uint32_t line = excerpts_.add({event.number, event.view, event.cpu, event.state});
    if (line != kNone && (row.lines.empty() || row.lines.back() != line))
        row.lines.push_back(line);
}

void Summary::step(const Event& event, StepKind kind, std::uint32_t process, std::string_view text,
                   std::uint32_t changes) {
    if (on_step_)
        on_step_({event.view.ts(), event.number, kind, process, text, changes});
}

void Summary::take_alerts(const Event& event, std::uint32_t process) {
    for (const filter::RuleId rule : event.matched) {
        ++matches_[rule];
        if (alerts_.size() == kMostAlerts || matches_[rule] > kMostAlertsOfRule) {
            ++refused_alerts_;
            continue;
        }
        std::string message;
        outputs_[rule].render(event.fields, message);
        alerts_.push_back(
            {.time_ns = event.view.ts(),
             .number = event.number,
             .rule = rule,
             .process = process,
             .line = excerpts_.add({event.number, event.view, event.cpu, event.state}),
             .message = kept(message)});
        if (process != kNone)
            ++processes_[process].alerts;
        step(event, StepKind::alert, process, rules_->rules[rule].name);
    }
}

void Summary::take(const Event& event) {
    const state::Thread* thread = event.state.current().thread;
    if (event.view.ts() < since_ns_ || !in_scope(thread, event.state))
        return;
    if (events_++ == 0)
        first_ns_ = event.view.ts();
    last_ns_ = event.view.ts();
    const std::uint16_t code = event.view.code();
    if (code == event::DROP_E || code == event::DROP_X)
        ++drop_events_;
    const std::uint32_t process = process_of(event);
    if (process != kNone) {
        take_process(event, process);
        take_file(event, process);
        take_connection(event, process);
    }
    take_alerts(event, process);
}

} // namespace tiercel::report
