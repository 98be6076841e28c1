// SPDX-License-Identifier: Apache-2.0
//
// The list of all fields, for --list-fields and the manual pages.
#pragma once

#include <cstdint>
#include <string>

namespace tiercel::filter {

enum class ListStyle : std::uint8_t { text, markdown, json };
std::string list_fields(ListStyle style);

} // namespace tiercel::filter
