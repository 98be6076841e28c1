// SPDX-License-Identifier: Apache-2.0
//
// Compiler: makes a RuleSet from definitions. It resolves lists and macros and reports each mistake
// at its place; a mistake in a macro is reported once, however many rules use the macro.
#pragma once

#include <memory>

#include "analyzer/rules/collector.h"
#include "analyzer/rules/ruleset.h"

namespace tiercel::rules {

// Returns nullptr if there is an error.
std::shared_ptr<const RuleSet> compile(const Collector& collector, const LoadOptions& options,
                                       Diagnostics& diagnostics);

} // namespace tiercel::rules
