// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace tiercel::filter {

// Lists the operators, quantifiers and transformers with their descriptions, for --list-operators.
std::string list_operators();

} // namespace tiercel::filter
