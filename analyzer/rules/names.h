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
// All lists together have so many items and values of lists within them. Each is expanded once.
inline constexpr std::size_t kMostExpanded = 2'000'000;
// Macros within macros, and lists within lists.
inline constexpr unsigned kMostNested = 64;

class Names : public filter::Scope {
  public:
    Names(const Collector& collector, filter::Resolver& resolver, Diagnostics& diagnostics);

    std::optional<filter::NodeId> macro(const std::string& name, filter::Issue& issue) override;
    const std::vector<std::string>* list(const std::string& name) override;

    // What is wrong with some macros. Kept for each macro with those that it uses, because a file
    // can have 10,000 macros that use 10,000 others.
    struct Wrong {
        bool is_broken = false;               // one has a syntax error
        const filter::Issue* first = nullptr; // of any weight
        const filter::Issue* error = nullptr; // the first error
        bool is_forgivable = true;            // all errors are unknown names
        void add(const Wrong& more);
    };
    struct Macro {
        const MacroDefinition* definition = nullptr;
        std::optional<filter::Node> tree; // nothing after a syntax error, which is reported
        bool resolved = false;
        bool resolving = false;
        bool reported = false; // with the macros that it uses
        unsigned depth = 0;    // of macros within it
        filter::NodeId node = filter::kFalse;
        std::vector<filter::Issue> issues;
        std::vector<Macro*> uses; // directly
        Wrong wrong;              // in it and in the macros that it uses
    };

    // Starts to note the macros that the next condition uses.
    void start_noting() { used_.clear(); }
    // Returns what is wrong with the noted macros, and with all that they use.
    Wrong wrong() const;
    // Returns the noted macros, and all that they use, that have errors and were not returned yet.
    std::vector<const Macro*> take_unreported();

    // Resolves the macros that nothing uses, so that their mistakes are reported, and reports
    // unused names.
    void finish();

  private:
    // A list with the values of the lists within it.
    struct List {
        std::vector<std::string> values;
        bool expanding = false;
        unsigned depth = 0; // of lists within it
    };

    void resolve(Macro& macro);
    void take_unreported(Macro& macro, std::vector<const Macro*>& taken);
    const List& expand(const ListDefinition& list);
    bool add_item(const ListDefinition& list, const Item& item, List& expanded);
    bool add_list(const ListDefinition& list, const Item& item, const ListDefinition& within,
                  List& expanded);
    bool fits(const ListDefinition& list, const List& expanded, std::size_t more);
    void refuse(const ListDefinition& list, std::string message);
    void complain(const ListDefinition& list, const Place& place, std::string message);

    const Collector& collector_;
    filter::Resolver& resolver_;
    Diagnostics& diagnostics_;
    std::unordered_map<std::string, Macro> macros_;
    std::unordered_map<std::string, List> lists_;
    std::set<std::string> lists_used_;
    std::set<std::string> macros_used_;
    std::vector<Macro*> used_;
    const MacroDefinition* inside_ = nullptr; // the macro that is being resolved
    unsigned depth_ = 0;                      // of macros that are being resolved
    unsigned lists_depth_ = 0;                // of lists that are being expanded
    std::size_t expanded_ = 0;                // of kMostExpanded
    bool too_large_said_ = false;
};

// A mistake in `text` as a diagnostic at its place.
Diagnostic diagnose(Severity severity, const Text& text, const std::string& subject,
                    const filter::Issue& issue);

} // namespace tiercel::rules
