// SPDX-License-Identifier: Apache-2.0
//
// Collector: the definitions of all rule files, up to the item that was read last
//
// A later definition replaces an earlier one of the same name in its old position; an append adds
// to it; an override changes parts of it.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "analyzer/rules/definition.h"
#include "analyzer/rules/diagnostic.h"

namespace tiercel::rules {

// The parts of a rule that an append or an override changes.
struct RuleUpdate {
    std::string name;
    Place place;
    std::optional<Text> condition;
    std::optional<Text> output;
    std::optional<std::string> description;
    std::optional<std::vector<std::string>> tags;
    std::optional<std::vector<ExceptionDefinition>> exceptions;
    std::optional<Priority> priority;
    std::optional<bool> enabled;
    std::optional<bool> warn_evttypes;
    std::optional<bool> skip_if_unknown_filter;
    std::optional<bool> capture;
    std::optional<std::uint64_t> capture_duration_ms;
};

// Definitions of one kind, in order, found by name.
template <typename T>
class Named {
  public:
    const std::vector<T>& all() const { return all_; }
    T* find(const std::string& name) {
        const auto found = index_.find(name);
        return found == index_.end() ? nullptr : &all_[found->second];
    }
    const T* find(const std::string& name) const { return const_cast<Named*>(this)->find(name); }
    std::optional<std::size_t> position(const std::string& name) const {
        const auto found = index_.find(name);
        return found == index_.end() ? std::nullopt : std::optional<std::size_t>(found->second);
    }
    void add(T definition) {
        index_.emplace(definition.name, all_.size());
        all_.push_back(std::move(definition));
    }

  private:
    std::vector<T> all_;
    std::unordered_map<std::string, std::size_t> index_;
};

// Items of all rule files. Each costs up to a millisecond, and a hostile file of 10 MB has 100,000.
inline constexpr std::uint32_t kMostItems = 10'000;

// A rule has at most so many exceptions, because their names are compared with one another. Each
// may have any number of values.
inline constexpr std::size_t kMostExceptions = 1'000;
inline constexpr const char* kTooManyExceptions =
    "has more than 1,000 exceptions; an exception may have many values";
// The longest name of a rule, macro, list or exception, in bytes. Messages repeat it.
inline constexpr std::size_t kLongestName = 1'000;
// After so many errors and warnings no more warnings are kept.
inline constexpr std::size_t kMostDiagnostics = 10'000;
// After so many errors and warnings no similar names are looked for, each time among all names.
inline constexpr std::size_t kMostHinted = 200;

class Collector {
  public:
    explicit Collector(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

    // Counts an item of a rule file. Returns false, and reports it once, if there are too many.
    bool takes_more(const Place& place);

    void define(ListDefinition list);
    void append(ListDefinition list);
    void define(MacroDefinition macro);
    void append(const MacroDefinition& macro);
    void define(RuleDefinition rule);
    void append(RuleUpdate update);
    void replace(RuleUpdate update);
    void enable(const std::string& name, bool enabled, const Place& place);

    // Marks a definition that could not be read, so that uses of its name are not reported again.
    void mark_broken(const std::string& name) { broken_.emplace(name, true); }
    bool is_broken(const std::string& name) const { return broken_.contains(name); }

    const Named<ListDefinition>& lists() const { return lists_; }
    const Named<MacroDefinition>& macros() const { return macros_; }
    const Named<RuleDefinition>& rules() const { return rules_; }

  private:
    void complain(const Place& place, std::string subject, std::string message);
    RuleDefinition* rule_to_change(const RuleUpdate& update, const char* what);
    void append_exceptions(RuleDefinition& rule, std::vector<ExceptionDefinition> more);

    Diagnostics& diagnostics_;
    Named<ListDefinition> lists_;
    Named<MacroDefinition> macros_;
    Named<RuleDefinition> rules_;
    std::unordered_map<std::string, bool> broken_;
    std::uint32_t next_ = 0; // number of the next definition
    std::uint32_t items_ = 0;
};

} // namespace tiercel::rules
