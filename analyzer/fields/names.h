// SPDX-License-Identifier: Apache-2.0
//
// Names of errors, signals and capabilities.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tiercel::filter {

// "ENOENT" for -2; also the errors that the kernel keeps to itself. Empty: none of that number.
std::string_view errno_name(std::int64_t result);
std::string_view signal_name(std::uint8_t signal);             // "SIGKILL"; empty: none
void append_capabilities(std::string& out, std::uint64_t set); // "CAP_CHOWN CAP_KILL"

} // namespace tiercel::filter
