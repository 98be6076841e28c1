// SPDX-License-Identifier: Apache-2.0
//
// Detection: the compiled rules and the compiled --filter, with the fields that both refer to.
#pragma once

#include <memory>
#include <optional>

#include "analyzer/rules/condition.h"
#include "analyzer/rules/ruleset.h"
#include "analyzer/rules/sum.h"
#include "analyzer/setup/config.h"

namespace tiercel::app {

struct Detection {
    filter::Fields fields;
    std::shared_ptr<const rules::RuleSet> rules; // null: the configuration names no rules
    rules::Sha256 rules_sum{};                   // of the files of `rules`
    std::optional<filter::Condition> filter;     // --filter
};

// Reads the rule files and compiles them and the filter. Adds to `findings` everything that is
// wrong with them. Rules are read only while `findings` has no error, because half a configuration
// would judge them wrongly.
std::unique_ptr<Detection> read_detection(const Config& config, Findings& findings);

// The name and the text of each rule file.
using RuleTexts = std::vector<std::pair<std::string, std::string>>;

// Reads the rule files. Adds to `findings` those that cannot be read.
RuleTexts read_rule_texts(const Config& config, Findings& findings);

// Compiles the rules of `files` and puts them into `detection`, unless they have an error, which is
// added to `findings`. Ids of fields stay valid.
void replace_rules(const Config& config, Detection& detection, const RuleTexts& files,
                   Findings& findings);

} // namespace tiercel::app
