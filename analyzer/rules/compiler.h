// SPDX-License-Identifier: Apache-2.0
//
// Compiler: from what the files define to a RuleSet. Resolves lists and macros, and complains about
// each mistake where it stands: one in a macro once, in the macro, however many rules use it.
#pragma once

#include <memory>

#include "analyzer/rules/collector.h"
#include "analyzer/rules/ruleset.h"

namespace tiercel::rules {

// Null when anything is wrong enough not to load.
std::shared_ptr<const RuleSet> compile(const Collector& collector, const LoadOptions& options,
                                       Diagnostics& diagnostics);

} // namespace tiercel::rules
