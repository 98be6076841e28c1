// SPDX-License-Identifier: Apache-2.0
//
// Compiler: resolves each rule's condition, decides whether the rule is on, and checks its output.
#include "analyzer/rules/compiler.h"

#include <algorithm>

#include "analyzer/language/parser.h"
#include "analyzer/match/event_kind.h"
#include "analyzer/match/sets/glob.h"
#include "analyzer/rules/exceptions.h"
#include "analyzer/rules/names.h"

namespace tiercel::rules {

namespace {

// The fields that Falco's container plugin suggests for outputs, in its order and form.
constexpr std::string_view kSuggested =
    " container_id=%container.id container_name=%container.name"
    " container_image_repository=%container.image.repository"
    " container_image_tag=%container.image.tag k8s_pod_name=%k8s.pod.name k8s_ns_name=%k8s.ns.name";

// Errors after which no more rules are looked at.
constexpr std::size_t kMostErrors = 1'000;

class Compiler {
  public:
    Compiler(const Collector& collector, const LoadOptions& options, Diagnostics& diagnostics)
        : options_(options), diagnostics_(diagnostics), definitions_(collector.rules().all()),
          resolver_(graph_, *options.fields), names_(collector, resolver_, diagnostics) {}

    std::shared_ptr<const RuleSet> compile() {
        auto set = std::make_shared<RuleSet>();
        for (const RuleDefinition& definition : definitions_) {
            if (diagnostics_.count(Severity::error) >= kMostErrors)
                break; // the rest would cost in vain
            compile_rule(definition, *set);
        }
        names_.finish();
        if (diagnostics_.count(Severity::error) > 0)
            return nullptr;
        set->program = filter::build_program(std::move(graph_), roots_);
        set->interest = filter::interest_of(*set->program);
        warn_about_wide_rules(*set);
        return set;
    }

  private:
    static std::string subject(const RuleDefinition& rule) { return "rule '" + rule.name + "'"; }

    void compile_rule(const RuleDefinition& definition, RuleSet& set) {
        if (definition.source != "syscall") {
            diagnostics_.add(
                {Severity::warning,
                 definition.place,
                 1,
                 subject(definition),
                 "is skipped, because there are no events of source '" + definition.source + "'",
                 {}});
            return;
        }
        Rule rule = describe(definition);
        const Text condition = condition_with_exceptions(definition, diagnostics_);
        auto parsed = filter::parse(condition.str());
        if (auto* error = std::get_if<filter::SyntaxError>(&parsed)) {
            diagnostics_.add(diagnose(Severity::error, condition, subject(definition),
                                      {error->span, error->message, error->hint, false}));
            return;
        }
        names_.start_noting();
        std::vector<filter::Issue> issues;
        const filter::NodeId root =
            resolver_.resolve(std::get<filter::Node>(parsed), names_, issues);
        if (!accept(definition, condition, issues) || !accept_exceptions(definition) ||
            !accept_output(definition, rule))
            return;
        reasons_.push_back(root == filter::kFalse ? reason_of(issues) : std::string());
        rule.condition = condition.str();
        set.rules.push_back(std::move(rule));
        roots_.push_back(set.rules.back().enabled ? root : filter::kFalse);
        places_.push_back(&definition);
    }

    Rule describe(const RuleDefinition& definition) const {
        Rule rule;
        rule.name = definition.name;
        rule.description = definition.description;
        rule.output = definition.output.str();
        rule.priority = definition.priority;
        rule.tags = definition.tags;
        rule.source = definition.source;
        rule.capture = definition.capture;
        rule.capture_duration_ms = definition.capture_duration_ms;
        rule.enabled = definition.enabled;
        for (const Selection& selection : options_.selections) {
            if (selected(selection, rule))
                rule.enabled = selection.enable;
        }
        rule.enabled = rule.enabled && rule.priority <= options_.threshold;
        for (const OutputAddition& addition : options_.additions) {
            if (!applies(addition, rule))
                continue;
            if (!addition.extra_output.empty())
                rule.output += ' ' + addition.extra_output;
            if (addition.suggested)
                rule.output += kSuggested;
            rule.extra_fields.insert(rule.extra_fields.end(), addition.extra_fields.begin(),
                                     addition.extra_fields.end());
        }
        return rule;
    }

    static bool has_tag(const Rule& rule, const std::string& tag) {
        return std::binary_search(rule.tags.begin(), rule.tags.end(), tag);
    }

    static bool selected(const Selection& selection, const Rule& rule) {
        return (selection.rule.empty() || filter::Glob(selection.rule, false).match(rule.name)) &&
               (selection.tag.empty() || has_tag(rule, selection.tag));
    }

    static bool applies(const OutputAddition& addition, const Rule& rule) {
        return (addition.source.empty() || addition.source == rule.source) &&
               (addition.rule.empty() || addition.rule == rule.name) &&
               std::all_of(addition.tags.begin(), addition.tags.end(),
                           [&rule](const std::string& tag) { return has_tag(rule, tag); });
    }

    // Reports the mistakes of the condition and of the macros that it uses. Returns false if the
    // rule cannot be loaded.
    bool accept(const RuleDefinition& definition, const Text& condition,
                const std::vector<filter::Issue>& issues) {
        Names::Wrong wrong = names_.wrong();
        if (wrong.is_broken)
            return false;
        bool is_forgivable = wrong.is_forgivable;
        const filter::Issue* error = wrong.error;
        for (auto issue = issues.rbegin(); issue != issues.rend(); ++issue)
            if (is_error(*issue)) {
                error = &*issue; // those of the rule come first
                is_forgivable = is_forgivable && issue->unknown_name;
            }
        if (error != nullptr && is_forgivable && definition.skip_if_unknown_filter) {
            diagnostics_.add({Severity::warning, definition.place, 1, subject(definition),
                              "skipped: " + error->message, error->hint});
            return false;
        }
        for (const filter::Issue& issue : issues)
            report(issue, condition, subject(definition));
        if (error == nullptr)
            return true;
        for (const Names::Macro* macro : names_.take_unreported())
            for (const filter::Issue& issue : macro->issues)
                report(issue, macro->definition->condition,
                       "macro '" + macro->definition->name + "'");
        return false;
    }

    static bool is_error(const filter::Issue& issue) {
        return issue.weight == filter::Issue::Weight::error;
    }

    void report(const filter::Issue& issue, const Text& text, const std::string& subject) {
        if (issue.weight != filter::Issue::Weight::remark)
            diagnostics_.add(diagnose(is_error(issue) ? Severity::error : Severity::warning, text,
                                      subject, issue));
    }

    // The first remark or warning of the condition, or of the macros that it uses.
    std::string reason_of(const std::vector<filter::Issue>& issues) {
        if (!issues.empty())
            return issues[0].message;
        const filter::Issue* first = names_.wrong().first;
        return first != nullptr ? first->message : "its comparisons exclude each other";
    }

    // Reports fields that do not exist in exceptions, also in those without values.
    bool accept_exceptions(const RuleDefinition& definition) {
        bool good = true;
        for (const ExceptionDefinition& exception : definition.exceptions) {
            std::vector<Entry> fields = exception.fields.entries;
            if (!exception.fields.is_list)
                fields = {exception.fields};
            for (const Entry& field : fields) {
                std::size_t length = 0;
                const auto parsed = filter::parse_operand(field.word, length);
                std::vector<filter::Issue> issues;
                if (const auto* operand = std::get_if<filter::Operand>(&parsed))
                    resolver_.resolve(*operand, issues);
                else
                    issues.push_back({{}, "this is no field", {}});
                for (const filter::Issue& issue : issues)
                    diagnostics_.add(
                        {definition.skip_if_unknown_filter ? Severity::warning : Severity::error,
                         field.place, static_cast<std::uint32_t>(field.word.size()),
                         subject(definition),
                         "exception '" + exception.name + "': " + issue.message, issue.hint});
                good = good && issues.empty();
            }
        }
        return good;
    }

    bool accept_output(const RuleDefinition& definition, const Rule& rule) {
        if (!options_.check_output)
            return true;
        std::vector<std::string> formats = {rule.output};
        for (const auto& [name, format] : rule.extra_fields)
            formats.push_back(format);
        for (const std::string& format : formats) {
            const std::optional<OutputProblem> problem = options_.check_output(format);
            if (!problem)
                continue;
            const bool forgiven = problem->unknown && definition.skip_if_unknown_filter;
            const bool warning = forgiven || problem->warning;
            diagnostics_.add({warning ? Severity::warning : Severity::error,
                              definition.output.at(problem->offset),
                              static_cast<std::uint32_t>(problem->length), subject(definition),
                              (forgiven ? "skipped: " : "") + problem->message, problem->hint});
            if (!problem->warning)
                return false;
        }
        return true;
    }

    void warn_about_wide_rules(const RuleSet& set) {
        const std::vector<std::size_t>& kinds = set.interest.kinds;
        for (std::size_t i = 0; i < kinds.size(); ++i) {
            const bool never = kinds[i] == 0 && set.rules[i].enabled;
            if (!places_[i]->warn_evttypes || (kinds[i] <= filter::kManyKinds && !never))
                continue;
            const std::string& reason = reasons_[i];
            diagnostics_.add(
                {Severity::warning, places_[i]->place, 1, subject(*places_[i]),
                 never ? "can never match: " +
                             (reason.empty() ? "its event types exclude each other" : reason)
                       : "matches too many event types, which costs on every event",
                 never ? "" : "compare evt.type, or say `warn_evttypes: false`"});
        }
    }

    const LoadOptions& options_;
    Diagnostics& diagnostics_;
    const std::vector<RuleDefinition>& definitions_;
    filter::Graph graph_;
    filter::Resolver resolver_;
    Names names_;
    std::vector<filter::NodeId> roots_;
    std::vector<const RuleDefinition*> places_;
    std::vector<std::string> reasons_; // of each rule whose condition is always false
};

} // namespace

std::shared_ptr<const RuleSet> compile(const Collector& collector, const LoadOptions& options,
                                       Diagnostics& diagnostics) {
    return Compiler(collector, options, diagnostics).compile();
}

} // namespace tiercel::rules
