// SPDX-License-Identifier: Apache-2.0
//
// Names: what macros and lists stand for, worked out when first asked. It is the Scope in which
// conditions are resolved: a macro sees those defined before it was last touched, a rule sees all;
// lists have no order.
#pragma once

#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "analyzer/match/resolver.h"
#include "analyzer/rules/collector.h"

namespace tiercel::rules {

class Names : public filter::Scope {
  public:
    Names(const Collector& collector, filter::Resolver& resolver, Diagnostics& diagnostics);

    std::optional<filter::NodeId> macro(const std::string& name, filter::Issue& issue) override;
    const std::vector<std::string>* list(const std::string& name) override;

    struct Macro {
        const MacroDefinition* definition = nullptr;
        std::optional<filter::Node> tree; // nothing: a syntax error, complained about
        bool resolved = false;
        bool resolving = false;
        bool reported = false;
        filter::NodeId node = filter::kFalse;
        std::vector<filter::Issue> issues;
        std::set<std::string> uses; // other macros, directly and through them
    };

    // Starts noting which macros are used, for the next condition; used() gives them with all they
    // use.
    void start_noting() { used_.clear(); }
    const std::set<std::string>& used() const { return used_; }
    Macro& entry(const std::string& name) { return macros_.at(name); }
    // Whether a syntax error hides behind any of the macros noted.
    bool any_broken() const;

    // Works out what nothing has used, so that its mistakes are known, and notes what goes unused.
    void finish();

  private:
    void resolve(const std::string& name, Macro& macro);
    void add_items(const std::string& name, std::vector<std::string>& values,
                   std::set<std::string>& path);
    void complain_item(const ListDefinition& list, const Item& item);

    const Collector& collector_;
    filter::Resolver& resolver_;
    Diagnostics& diagnostics_;
    std::unordered_map<std::string, Macro> macros_;
    std::unordered_map<std::string, std::vector<std::string>> lists_;
    std::set<std::string> lists_used_;
    std::set<std::string> macros_used_;
    std::set<std::string> used_;
    const MacroDefinition* inside_ = nullptr; // the macro being resolved
};

// A mistake in `text` as a diagnostic at its place.
Diagnostic diagnose(Severity severity, const Text& text, const std::string& subject,
                    const filter::Issue& issue);

} // namespace tiercel::rules
