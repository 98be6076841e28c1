// SPDX-License-Identifier: Apache-2.0
//
// Exceptions: the part of a rule that says when not to alert, as fields, comparison operators and
// tuples of values. They become conditions: `RULE and not (A or B …)`.
#pragma once

#include "analyzer/rules/definition.h"
#include "analyzer/rules/diagnostic.h"

namespace tiercel::rules {

// Fills in the default comps and checks that fields and comps fit. False: complained about.
bool complete_exception(ExceptionDefinition& exception, const std::string& subject,
                        Diagnostics& diagnostics);

// `rule`'s condition with its exceptions joined to it. Tuples that do not fit their fields are
// complained about and left out.
Text condition_with_exceptions(const RuleDefinition& rule, Diagnostics& diagnostics);

} // namespace tiercel::rules
