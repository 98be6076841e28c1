// SPDX-License-Identifier: Apache-2.0
//
// Names: resolves macros and lists when a condition first uses them.
#include "analyzer/rules/names.h"

#include <algorithm>
#include <utility>

#include "analyzer/language/parser.h"
#include "analyzer/language/suggest.h"

namespace tiercel::rules {

Diagnostic diagnose(Severity severity, const Text& text, const std::string& subject,
                    const filter::Issue& issue) {
    return {severity,  text.at(issue.span.offset), issue.span.length, subject, issue.message,
            issue.hint};
}

Names::Names(const Collector& collector, filter::Resolver& resolver, Diagnostics& diagnostics)
    : collector_(collector), resolver_(resolver), diagnostics_(diagnostics) {
    for (const MacroDefinition& definition : collector_.macros().all()) {
        Macro macro;
        macro.definition = &definition;
        auto parsed = filter::parse(definition.condition.str());
        if (auto* error = std::get_if<filter::SyntaxError>(&parsed)) {
            diagnostics_.add(diagnose(Severity::error, definition.condition,
                                      "macro '" + definition.name + "'",
                                      {error->span, error->message, error->hint}));
        } else {
            macro.tree = std::move(std::get<filter::Node>(parsed));
        }
        macros_.emplace(definition.name, std::move(macro));
    }
}

std::optional<filter::NodeId> Names::macro(const std::string& name, filter::Issue& issue) {
    const auto found = macros_.find(name);
    const bool visible =
        found != macros_.end() &&
        (inside_ == nullptr || found->second.definition->first_defined < inside_->last_touched);
    if (!visible) {
        if (collector_.is_broken(name))
            return std::nullopt;
        if (found != macros_.end()) {
            issue.message = "macro '" + name + "' is defined only after this one";
            return std::nullopt;
        }
        issue.message = "unknown macro '" + name + "'";
        if (resolver_.wants_hint()) {
            filter::Suggestion best(name);
            for (const MacroDefinition& definition : collector_.macros().all())
                best.consider(definition.name);
            issue.hint = best.hint();
        }
        if (collector_.lists().find(name) != nullptr)
            issue.hint = "it is a list: say `FIELD in (" + name + ")`";
        return std::nullopt;
    }
    Macro& macro = found->second;
    if (macro.resolving) {
        issue.message = "macro '" + name + "' contains itself";
        return std::nullopt;
    }
    if (!macro.resolved && depth_ < kMostNested)
        resolve(macro);
    if (!macro.resolved || macro.depth >= kMostNested) {
        issue.message = "macros are nested more than " + std::to_string(kMostNested) + " deep";
        return std::nullopt;
    }
    if (used_.empty() || used_.back() != &macro)
        used_.push_back(&macro);
    macros_used_.insert(name);
    return macro.node;
}

void Names::Wrong::add(const Wrong& more) {
    is_broken = is_broken || more.is_broken;
    first = first != nullptr ? first : more.first;
    error = error != nullptr ? error : more.error;
    is_forgivable = is_forgivable && more.is_forgivable;
}

void Names::resolve(Macro& macro) {
    macro.resolved = true;
    if (!macro.tree) {
        macro.wrong.is_broken = true;
        return;
    }
    macro.resolving = true;
    ++depth_;
    std::vector<Macro*> outer;
    outer.swap(used_);
    const MacroDefinition* outside = inside_;
    inside_ = macro.definition;
    macro.node = resolver_.resolve(*macro.tree, *this, macro.issues);
    inside_ = outside;
    for (const filter::Issue& issue : macro.issues) {
        const bool is_error = issue.weight == filter::Issue::Weight::error;
        macro.wrong.add(
            {false, &issue, is_error ? &issue : nullptr, !is_error || issue.unknown_name});
    }
    for (const Macro* used : used_) {
        macro.wrong.add(used->wrong);
        macro.depth = std::max(macro.depth, used->depth + 1);
    }
    macro.uses.swap(used_);
    used_.swap(outer);
    --depth_;
    macro.resolving = false;
}

Names::Wrong Names::wrong() const {
    Wrong all;
    for (const Macro* macro : used_)
        all.add(macro->wrong);
    return all;
}

std::vector<const Names::Macro*> Names::take_unreported() {
    std::vector<const Macro*> taken;
    for (Macro* macro : used_)
        take_unreported(*macro, taken);
    return taken;
}

void Names::take_unreported(Macro& macro, std::vector<const Macro*>& taken) {
    if (macro.wrong.error == nullptr || std::exchange(macro.reported, true))
        return;
    taken.push_back(&macro);
    for (Macro* used : macro.uses)
        take_unreported(*used, taken);
}

const std::vector<std::string>* Names::list(const std::string& name) {
    const ListDefinition* list = collector_.lists().find(name);
    if (list == nullptr)
        return nullptr;
    lists_used_.insert(name);
    return &expand(*list).values;
}

// Returns the list's values. Those of a list that is being expanded are not complete.
const Names::List& Names::expand(const ListDefinition& list) {
    const auto [entry, fresh] = lists_.try_emplace(list.name);
    List& expanded = entry->second;
    if (!fresh)
        return expanded;
    expanded.expanding = true;
    ++lists_depth_;
    for (const Item& item : list.items) {
        if (!add_item(list, item, expanded))
            break;
    }
    --lists_depth_;
    expanded.expanding = false;
    return expanded;
}

// Returns whether the list has room for more.
bool Names::add_item(const ListDefinition& list, const Item& item, List& expanded) {
    if (!fits(list, expanded, 1))
        return false;
    if (const ListDefinition* within = collector_.lists().find(item.text))
        return add_list(list, item, *within, expanded);
    std::string value;
    bool quoted = false;
    if (filter::unquote_item(item.text, value, quoted))
        expanded.values.push_back(std::move(value));
    else
        complain(list, item.place, "the quotes of '" + item.text + "' do not match");
    return true;
}

// Adds the values of a list within `list`. Returns whether the list has room for more.
bool Names::add_list(const ListDefinition& list, const Item& item, const ListDefinition& within,
                     List& expanded) {
    lists_used_.insert(within.name);
    const List* inner = lists_depth_ < kMostNested ? &expand(within) : nullptr;
    if (inner != nullptr && inner->expanding) {
        complain(list, item.place, "contains itself, by way of '" + item.text + "'");
        return true;
    }
    if (inner == nullptr || inner->depth + 1 >= kMostNested) {
        refuse(list, "is nested more than " + std::to_string(kMostNested) + " deep in other lists");
        return false;
    }
    if (!fits(list, expanded, inner->values.size()))
        return false;
    expanded.depth = std::max(expanded.depth, inner->depth + 1);
    expanded.values.insert(expanded.values.end(), inner->values.begin(), inner->values.end());
    return true;
}

bool Names::fits(const ListDefinition& list, const List& expanded, std::size_t more) {
    expanded_ += more;
    if (expanded.values.size() + more > kMostListValues)
        refuse(list, "has more than " + std::to_string(kMostListValues) +
                         " values when the lists within it are expanded");
    else if (expanded_ > kMostExpanded)
        refuse(list, "is one of lists with more than " + std::to_string(kMostExpanded) +
                         " items together, when the lists within them are expanded");
    else
        return true;
    return false;
}

// Reports the first list that is too large: those that contain it are too large as well.
void Names::refuse(const ListDefinition& list, std::string message) {
    if (!std::exchange(too_large_said_, true))
        complain(list, list.place, std::move(message));
}

void Names::complain(const ListDefinition& list, const Place& place, std::string message) {
    diagnostics_.add(
        {Severity::error, place, 1, "list '" + list.name + "'", std::move(message), {}});
}

void Names::finish() {
    const std::set<std::string> used = macros_used_;
    for (const MacroDefinition& definition : collector_.macros().all()) {
        Macro& macro = macros_.at(definition.name);
        if (!macro.resolved)
            resolve(macro);
        used_.clear();
        const std::string subject = "macro '" + definition.name + "'";
        for (const filter::Issue& issue : macro.issues) {
            if (!macro.reported && issue.weight != filter::Issue::Weight::remark)
                diagnostics_.add(diagnose(Severity::warning, definition.condition, subject, issue));
        }
        if (!used.contains(definition.name))
            diagnostics_.add(
                {Severity::note, definition.place, 1, subject, "no rule or macro uses it", {}});
    }
    for (const ListDefinition& list : collector_.lists().all()) {
        if (!lists_used_.contains(list.name))
            diagnostics_.add({Severity::note,
                              list.place,
                              1,
                              "list '" + list.name + "'",
                              "no rule, macro or list uses it",
                              {}});
    }
}

} // namespace tiercel::rules
