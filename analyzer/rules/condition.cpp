// SPDX-License-Identifier: Apache-2.0
#include "analyzer/rules/condition.h"

#include <algorithm>

#include "analyzer/language/parser.h"
#include "analyzer/match/resolver.h"

namespace tiercel::filter {

namespace {

class NoNames : public Scope {
  public:
    std::optional<NodeId> macro(const std::string& name, Issue& issue) override {
        issue.message = "'" + name + "' is no comparison, and macros exist in rule files only";
        return std::nullopt;
    }
    const std::vector<std::string>* list(const std::string&) override { return nullptr; }
};

} // namespace

std::variant<Condition, std::vector<Condition::Problem>> Condition::compile(std::string_view text,
                                                                            Fields& fields) {
    std::vector<Problem> problems;
    const auto add = [&problems](const Span& span, const std::string& message,
                                 const std::string& hint) {
        problems.push_back({span.offset, std::max(span.length, 1U), message, hint});
    };
    const auto parsed = parse(text);
    if (const auto* error = std::get_if<SyntaxError>(&parsed)) {
        add(error->span, error->message, error->hint);
        return problems;
    }
    Graph graph;
    NoNames names;
    std::vector<Issue> issues;
    const NodeId root = Resolver(graph, fields).resolve(std::get<Node>(parsed), names, issues);
    for (const Issue& issue : issues)
        if (issue.weight == Issue::Weight::error)
            add(issue.span, issue.message, issue.hint);
    if (!problems.empty())
        return problems;
    return Condition(build_program(std::move(graph), {root}));
}

} // namespace tiercel::filter
