// SPDX-License-Identifier: Apache-2.0
#include "analyzer/setup/findings.h"

#include <nlohmann/json.hpp>

#include "analyzer/rules/excerpt.h"
#include "shared/escape/escape.h"

namespace tiercel::app {

using rules::Diagnostic;
using rules::Severity;

void Findings::add(std::string name, std::string text,
                   const std::vector<config::SettingsProblem>& problems) {
    Group group;
    const std::uint32_t file = group.sources.add(std::move(name), std::move(text));
    for (const config::SettingsProblem& problem : problems)
        group.diagnostics.add({problem.error ? Severity::error : Severity::warning,
                               {file, problem.line, problem.column},
                               1,
                               {},
                               problem.message,
                               problem.hint});
    groups_.push_back(std::move(group));
}

void Findings::add(std::string name, std::string condition,
                   const std::vector<filter::Condition::Problem>& problems) {
    Group group;
    const std::uint32_t file = group.sources.add(std::move(name), std::move(condition));
    for (const filter::Condition::Problem& problem : problems)
        group.diagnostics.add({Severity::error,
                               {file, 1, static_cast<std::uint32_t>(problem.offset) + 1},
                               static_cast<std::uint32_t>(problem.length),
                               {},
                               problem.message,
                               problem.hint});
    groups_.push_back(std::move(group));
}

void Findings::add(rules::Sources sources, const rules::Diagnostics& diagnostics) {
    groups_.push_back({std::move(sources), {}});
    for (const Diagnostic& diagnostic : diagnostics.all())
        if (diagnostic.severity != Severity::note)
            groups_.back().diagnostics.add(diagnostic);
}

void Findings::add(Severity severity, std::string name, std::string message) {
    Group group;
    const std::uint32_t file = group.sources.add(std::move(name), {});
    group.diagnostics.add({severity, {file, 0, 0}, 1, {}, std::move(message), {}});
    groups_.push_back(std::move(group));
}

std::size_t Findings::count(Severity severity) const {
    std::size_t count = 0;
    for (const Group& group : groups_)
        count += group.diagnostics.count(severity);
    return count;
}

std::string Findings::text(config::Priority level) const {
    std::string text;
    for (const Group& group : groups_)
        for (const Diagnostic& diagnostic : group.diagnostics.all())
            if (diagnostic.severity == Severity::error || level >= config::Priority::warning)
                text += rules::format(group.sources, diagnostic);
    return text;
}

std::string Findings::json() const {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const Group& group : groups_)
        for (const Diagnostic& found : group.diagnostics.all())
            list.push_back(
                {{"severity", rules::severity_name(found.severity)},
                 {"file", escape::as_utf8(group.sources.name(found.place.file))},
                 {"line", found.place.line},
                 {"column", found.place.column},
                 {"subject", escape::as_utf8(found.subject)},
                 {"message", escape::as_utf8(found.message)},
                 {"hint", escape::as_utf8(found.hint)},
                 {"snippet", escape::as_utf8(rules::excerpt(group.sources, found.place))}});
    const nlohmann::ordered_json all = {{"valid", good()},
                                        {"errors", count(Severity::error)},
                                        {"warnings", count(Severity::warning)},
                                        {"diagnostics", list}};
    escape::Buffer text;
    escape::append_made_json(text, all.dump());
    return fmt::to_string(text);
}

} // namespace tiercel::app
