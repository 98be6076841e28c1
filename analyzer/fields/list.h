// SPDX-License-Identifier: Apache-2.0
//
// The list of all fields, for people and for programs.
#pragma once

#include <cstdint>
#include <string>

namespace tiercel::filter {

enum class ListStyle : std::uint8_t { text, markdown, json };
std::string list_fields(ListStyle style);

} // namespace tiercel::filter
