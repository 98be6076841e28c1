// SPDX-License-Identifier: Apache-2.0
//
// --explain-filter: for each kind of event, which calls leave the kernel and who asks for them.
#pragma once

#include <string>

#include "analyzer/prefilter/compiler.h"

namespace tiercel::prefilter {

// Returns the explanation as text, or as one JSON object.
std::string explain(const Compiled& compiled, const rules::RuleSet& rules, bool json);

// Returns the calls of a box in words: "succeeded", "failed, the path contains \"../\"".
std::string describe(const Box& box);

} // namespace tiercel::prefilter
