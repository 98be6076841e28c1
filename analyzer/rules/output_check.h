// SPDX-License-Identifier: Apache-2.0
//
// OutputCheck: looks through the outputs of rules with the field registry, for
// LoadOptions::check_output.
#pragma once

#include "analyzer/fields/format.h"
#include "analyzer/rules/ruleset.h"

namespace tiercel::rules {

// `fields` must outlive what is returned.
std::function<std::optional<OutputProblem>(const std::string&)>
check_outputs_with(filter::Fields& fields);

} // namespace tiercel::rules
