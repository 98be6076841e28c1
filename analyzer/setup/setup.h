// SPDX-License-Identifier: Apache-2.0
//
// Setup: what the command line, the configuration file and the rule files say together. Read before
// anything else is opened; everything that is wrong is said, not the first mistake only.
#pragma once

#include <memory>
#include <optional>

#include "analyzer/config/settings.h"
#include "analyzer/rules/condition.h"
#include "analyzer/rules/ruleset.h"
#include "analyzer/setup/options.h"

namespace tiercel::app {

struct Setup {
    config::Settings settings;
    filter::Fields fields;
    std::shared_ptr<const rules::RuleSet> rules; // null: none were asked for
    std::optional<filter::Condition> filter;     // --filter
};

// Takes over from the settings what no option says: driver, ring size, form. Null: something is
// wrong, and has been said on stderr.
std::unique_ptr<Setup> read_setup(Options& options);

// -V: says everything that is wrong with the configuration and the rules: as text on stderr, or as
// one JSON object on stdout. The exit code: 1 when there is an error.
int validate(const Options& options);

} // namespace tiercel::app
