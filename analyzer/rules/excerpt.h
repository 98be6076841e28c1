// SPDX-License-Identifier: Apache-2.0
//
// The part of a line of a rule file that a person is shown.
#pragma once

#include <string_view>

#include "analyzer/rules/source.h"

namespace tiercel::rules {

// Returns the line as it stands in the file; of a long line, the part around the place.
std::string_view excerpt(const Sources& sources, const Place& place);

} // namespace tiercel::rules
