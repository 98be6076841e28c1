// SPDX-License-Identifier: Apache-2.0
//
// Names: the meaning of the names of macros and lists
//
// It is the Scope in which conditions are resolved. A macro can use macros that were defined before
// its last change; a rule can use all macros. Lists have no order.
#pragma once

#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "analyzer/match/resolver.h"
#include "analyzer/rules/collector.h"

namespace tiercel::rules {

// A list with more values than this is refused, so that a small file with lists of lists cannot use
// all memory.
inline constexpr std::size_t kMostListValues = 500'000;

class Names : public filter::Scope {
  public:
    Names(const Collector& collector, filter::Resolver& resolver, Diagnostics& diagnostics);

    std::optional<filter::NodeId> macro(const std::string& name, filter::Issue& issue) override;
    const std::vector<std::string>* list(const std::string& name) override;

    struct Macro {
        const MacroDefinition* definition = nullptr;
        std::optional<filter::Node> tree; // nothing after a syntax error, which is reported
        bool resolved = false;
        bool resolving = false;
        bool reported = false;
        filter::NodeId node = filter::kFalse;
        std::vector<filter::Issue> issues;
        std::set<std::string> uses; // other macros, directly and through them
    };

    // Starts to note the macros that the next condition uses. used() returns them with all macros
    // that they use.
    void start_noting() { used_.clear(); }
    const std::set<std::string>& used() const { return used_; }
    Macro& entry(const std::string& name) { return macros_.at(name); }
    // Returns true if one of the noted macros has a syntax error.
    bool any_broken() const;

    // Resolves the macros that nothing uses, so that their mistakes are reported, and reports
    // unused names.
    void finish();

  private:
    void resolve(const std::string& name, Macro& macro);
    void add_items(const std::string& name, std::vector<std::string>& values,
                   std::set<std::string>& path);
    bool too_large(const ListDefinition& list, const std::vector<std::string>& values);
    void complain(const ListDefinition& list, const Place& place, std::string message);

    const Collector& collector_;
    filter::Resolver& resolver_;
    Diagnostics& diagnostics_;
    std::unordered_map<std::string, Macro> macros_;
    std::unordered_map<std::string, std::vector<std::string>> lists_;
    std::set<std::string> lists_used_;
    std::set<std::string> macros_used_;
    std::set<std::string> used_;
    const MacroDefinition* inside_ = nullptr; // the macro that is being resolved
    bool too_large_said_ = false;
};

// A mistake in `text` as a diagnostic at its place.
Diagnostic diagnose(Severity severity, const Text& text, const std::string& subject,
                    const filter::Issue& issue);

} // namespace tiercel::rules
