// SPDX-License-Identifier: Apache-2.0
//
// Exceptions: the cases in which a rule does not alert, as fields, comparison operators and tuples
// of values. They become conditions: `RULE and not (A or B …)`.
#pragma once

#include "analyzer/rules/definition.h"
#include "analyzer/rules/diagnostic.h"

namespace tiercel::rules {

// Sets the default operators and checks that fields and operators fit. Returns false after an
// error.
bool complete_exception(ExceptionDefinition& exception, const std::string& subject,
                        Diagnostics& diagnostics);

// Returns the condition of `rule` with its exceptions. Tuples that do not fit their fields are
// reported and left out.
Text condition_with_exceptions(const RuleDefinition& rule, Diagnostics& diagnostics);

} // namespace tiercel::rules
