// SPDX-License-Identifier: Apache-2.0
//
// Names: resolves macros and lists when a condition first uses them.
#include "analyzer/rules/names.h"

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
        filter::Suggestion best(name);
        for (const MacroDefinition& definition : collector_.macros().all())
            best.consider(definition.name);
        issue.message = "unknown macro '" + name + "'";
        issue.hint = best.hint();
        if (collector_.lists().find(name) != nullptr)
            issue.hint = "it is a list: say `FIELD in (" + name + ")`";
        return std::nullopt;
    }
    Macro& macro = found->second;
    if (macro.resolving) {
        issue.message = "macro '" + name + "' contains itself";
        return std::nullopt;
    }
    if (!macro.resolved)
        resolve(name, macro);
    used_.insert(name);
    used_.insert(macro.uses.begin(), macro.uses.end());
    macros_used_.insert(name);
    return macro.node;
}

void Names::resolve(const std::string& name, Macro& macro) {
    if (macro.tree) {
        macro.resolving = true;
        std::set<std::string> outer;
        outer.swap(used_);
        const MacroDefinition* outside = inside_;
        inside_ = macro.definition;
        macro.node = resolver_.resolve(*macro.tree, *this, macro.issues);
        inside_ = outside;
        macro.uses.swap(used_);
        macro.uses.erase(name);
        used_.swap(outer);
        macro.resolving = false;
    }
    macro.resolved = true;
}

bool Names::any_broken() const {
    for (const std::string& name : used_) {
        if (!macros_.at(name).tree)
            return true;
    }
    return false;
}

const std::vector<std::string>* Names::list(const std::string& name) {
    if (collector_.lists().find(name) == nullptr)
        return nullptr;
    lists_used_.insert(name);
    const auto [entry, fresh] = lists_.try_emplace(name);
    if (fresh) {
        std::set<std::string> path;
        add_items(name, entry->second, path);
    }
    return &entry->second;
}

// Adds the items of list `name` and of the lists within it. `path` has the lists that are being
// expanded.
void Names::add_items(const std::string& name, std::vector<std::string>& values,
                      std::set<std::string>& path) {
    const ListDefinition& list = *collector_.lists().find(name);
    path.insert(name);
    for (const Item& item : list.items) {
        if (too_large(list, values))
            break;
        if (collector_.lists().find(item.text) != nullptr) {
            lists_used_.insert(item.text);
            if (path.contains(item.text))
                complain(list, item.place, "contains itself, by way of '" + item.text + "'");
            else
                add_items(item.text, values, path);
            continue;
        }
        std::string value;
        bool quoted = false;
        if (filter::unquote_item(item.text, value, quoted))
            values.push_back(std::move(value));
        else
            complain(list, item.place, "the quotes of '" + item.text + "' do not match");
    }
    path.erase(name);
}

bool Names::too_large(const ListDefinition& list, const std::vector<std::string>& values) {
    if (values.size() < kMostListValues)
        return false;
    if (!std::exchange(too_large_said_, true))
        complain(list, list.place,
                 "has more than " + std::to_string(kMostListValues) +
                     " values when the lists within it are expanded");
    return true;
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
            resolve(definition.name, macro);
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
