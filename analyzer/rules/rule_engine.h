// SPDX-License-Identifier: Apache-2.0
//
// RuleEngine: the rules as the application uses them.
//
//     filter::Fields fields;             // the field registry; must outlive all others
//     LoadOptions options;
//     options.fields = &fields;
//     options.check_output = check_outputs_with(fields);
//     Loaded loaded = load_files({"/etc/tiercel/rules"}, options);
//     for (const Diagnostic& d : loaded.diagnostics.all())
//         print(format(loaded.sources, d));           // errors, warnings; notes when asked (-v)
//     if (!loaded.rules) return 1;                    // all rules are loaded, or none
//     ask_driver_for(loaded.rules->interest);         // and the events that state tracking needs
//     RuleEngine engine(loaded.rules, Matching::first);
//     for each event, once the state took it and `values` (an EventFields) was set to it:
//         for (RuleId id : engine.match(view, values))
//             dispatcher.send(templates[id].fill(values, view.ts()));   // an AlertTemplate for
//             each rule
//
// Load before entering the sandbox, because files cannot be opened afterwards.
#pragma once

#include <span>
#include <utility>

#include "analyzer/match/matcher.h"
#include "analyzer/rules/ruleset.h"
#include "shared/event/view.h"

namespace tiercel::rules {

// Reads rule files, and the *.yaml and *.yml files of directories in the order of their names.
Loaded load_files(const std::vector<std::string>& paths, const LoadOptions& options);
// Reads the files, but compiles nothing. The result has their texts, and an error for each that
// cannot be read.
Loaded read_files(const std::vector<std::string>& paths);
// Loads rules from memory: name and content of each file.
Loaded load_texts(const std::vector<std::pair<std::string, std::string>>& texts,
                  const LoadOptions& options);

enum class Matching : std::uint8_t { first, all };

class RuleEngine {
  public:
    RuleEngine(std::shared_ptr<const RuleSet> rules, Matching matching)
        : rules_(std::move(rules)), matching_(matching), matcher_(rules_->program),
          counts_(rules_->rules.size()) {}

    // The rules that `event` matches, good until the next call. `fields` answers for this event.
    std::span<const filter::RuleId> match(const event::EventView& event,
                                          filter::FieldSource& fields) {
        const auto matched =
            matcher_.match(filter::kind_of(event), fields, matching_ == Matching::all);
        for (const filter::RuleId rule : matched)
            ++counts_[rule];
        return matched;
    }

    const RuleSet& rules() const { return *rules_; }
    // The number of matches of each rule, by filter::RuleId.
    const std::vector<std::uint64_t>& counts() const { return counts_; }

  private:
    std::shared_ptr<const RuleSet> rules_;
    Matching matching_;
    filter::Matcher matcher_;
    std::vector<std::uint64_t> counts_;
};

} // namespace tiercel::rules
