// SPDX-License-Identifier: Apache-2.0
//
// Collector: defines, appends and overrides, and reports changes of items that do not exist.
#include "analyzer/rules/collector.h"

#include <algorithm>

#include "analyzer/language/suggest.h"
#include "analyzer/rules/exceptions.h"

namespace tiercel::rules {

namespace {

template <typename T>
std::string nearest(const Named<T>& named, const std::string& name,
                    const Diagnostics& diagnostics) {
    if (diagnostics.all().size() >= kMostHinted)
        return {};
    filter::Suggestion best(name);
    for (const T& definition : named.all())
        best.consider(definition.name);
    return best.hint();
}

} // namespace

void Collector::complain(const Place& place, std::string subject, std::string message) {
    diagnostics_.add({Severity::error, place, 1, std::move(subject), std::move(message), {}});
}

bool Collector::takes_more(const Place& place) {
    if (++items_ == kMostItems + 1)
        complain(place, {},
                 "there are more than " + std::to_string(kMostItems) +
                     " rules, macros and lists; join rules that differ in a value, by a list");
    return items_ <= kMostItems;
}

void Collector::define(ListDefinition list) {
    ++next_;
    if (ListDefinition* old = lists_.find(list.name))
        *old = std::move(list);
    else
        lists_.add(std::move(list));
}

void Collector::append(ListDefinition list) {
    ++next_;
    ListDefinition* old = lists_.find(list.name);
    if (old == nullptr) {
        if (!is_broken(list.name)) {
            diagnostics_.add({Severity::error, list.place, 1, "list '" + list.name + "'",
                              "appends to a list that no earlier item defines",
                              nearest(lists_, list.name, diagnostics_)});
        }
        return;
    }
    old->items.insert(old->items.end(), std::make_move_iterator(list.items.begin()),
                      std::make_move_iterator(list.items.end()));
}

void Collector::define(MacroDefinition macro) {
    macro.first_defined = macro.last_touched = next_++;
    if (MacroDefinition* old = macros_.find(macro.name)) {
        macro.first_defined = old->first_defined;
        *old = std::move(macro);
    } else {
        macros_.add(std::move(macro));
    }
}

void Collector::append(const MacroDefinition& macro) {
    const std::uint32_t number = next_++;
    MacroDefinition* old = macros_.find(macro.name);
    if (old == nullptr) {
        if (!is_broken(macro.name)) {
            diagnostics_.add({Severity::error, macro.place, 1, "macro '" + macro.name + "'",
                              "appends to a macro that no earlier item defines",
                              nearest(macros_, macro.name, diagnostics_)});
        }
        return;
    }
    old->condition.append(" ", macro.place);
    old->condition.append(macro.condition);
    old->last_touched = number;
}

void Collector::define(RuleDefinition rule) {
    ++next_;
    const std::string subject = "rule '" + rule.name + "'";
    bool good = true;
    for (ExceptionDefinition& exception : rule.exceptions)
        good &= complete_exception(exception, subject, diagnostics_);
    RuleDefinition* old = rules_.find(rule.name);
    if (old != nullptr && old->source != rule.source)
        return complain(rule.place, subject, "is defined again with another source");
    if (!good)
        return mark_broken(rule.name);
    if (old != nullptr)
        *old = std::move(rule);
    else
        rules_.add(std::move(rule));
}

RuleDefinition* Collector::rule_to_change(const RuleUpdate& update, const char* what) {
    ++next_;
    RuleDefinition* rule = rules_.find(update.name);
    if (rule == nullptr && !is_broken(update.name)) {
        diagnostics_.add({Severity::error, update.place, 1, "rule '" + update.name + "'",
                          std::string(what) + " a rule that no earlier item defines",
                          nearest(rules_, update.name, diagnostics_)});
    }
    return rule;
}

void Collector::append(RuleUpdate update) {
    RuleDefinition* rule = rule_to_change(update, "appends to");
    if (rule == nullptr)
        return;
    const auto add = [&update](Text& to, const std::optional<Text>& more) {
        if (!more || more->empty())
            return;
        to.append(" ", update.place);
        to.append(*more);
    };
    add(rule->condition, update.condition);
    add(rule->output, update.output);
    if (update.description && !update.description->empty())
        rule->description += ' ' + *update.description;
    if (update.tags)
        add_tags(rule->tags, *update.tags);
    if (update.exceptions)
        append_exceptions(*rule, std::move(*update.exceptions));
}

void Collector::append_exceptions(RuleDefinition& rule, std::vector<ExceptionDefinition> more) {
    const std::string subject = "rule '" + rule.name + "'";
    for (ExceptionDefinition& exception : more) {
        const auto old = std::find_if(rule.exceptions.begin(), rule.exceptions.end(),
                                      [&exception](const ExceptionDefinition& known) {
                                          return known.name == exception.name;
                                      });
        const std::string name = "exception '" + exception.name + "'";
        if (old == rule.exceptions.end()) {
            if (rule.exceptions.size() >= kMostExceptions)
                complain(exception.place, subject, kTooManyExceptions);
            else if (exception.values.empty())
                complain(exception.place, subject, name + " is new here and has no values");
            else if (complete_exception(exception, subject, diagnostics_))
                rule.exceptions.push_back(std::move(exception));
        } else if (exception.fields.given() || exception.comps.given()) {
            complain(exception.place, subject,
                     name + " exists: only values can be appended to it, not fields or comps");
        } else {
            old->values.insert(old->values.end(), exception.values.begin(), exception.values.end());
        }
    }
}

void Collector::replace(RuleUpdate update) {
    RuleDefinition* rule = rule_to_change(update, "overrides");
    if (rule == nullptr)
        return;
    const auto set = [](auto& to, auto& from) {
        if (from)
            to = std::move(*from);
    };
    if (update.exceptions) {
        bool good = true;
        for (ExceptionDefinition& exception : *update.exceptions)
            good &= complete_exception(exception, "rule '" + rule->name + "'", diagnostics_);
        if (!good)
            update.exceptions.reset();
    }
    set(rule->condition, update.condition);
    set(rule->output, update.output);
    set(rule->description, update.description);
    set(rule->tags, update.tags);
    set(rule->exceptions, update.exceptions);
    set(rule->priority, update.priority);
    set(rule->enabled, update.enabled);
    set(rule->warn_evttypes, update.warn_evttypes);
    set(rule->skip_if_unknown_filter, update.skip_if_unknown_filter);
    set(rule->capture, update.capture);
    set(rule->capture_duration_ms, update.capture_duration_ms);
}

void Collector::enable(const std::string& name, bool enabled, const Place& place) {
    RuleUpdate update;
    update.name = name;
    update.place = place;
    update.enabled = enabled;
    replace(std::move(update));
}

} // namespace tiercel::rules
