// SPDX-License-Identifier: Apache-2.0
//
// Reading the small text files of /proc and /sys without allocating.
#pragma once

#include <cstdint>
#include <span>

#include "shared/os/result.h"

namespace tiercel::os {

// Reads at most buffer.size() bytes of the file root + path; the text lives in `buffer`. A longer
// file is cut. One trailing newline is removed.
Result<std::string_view> read_file(const char* root, const char* path, std::span<char> buffer);

// The whole of `text` as an unsigned number of the base, nothing before or after it, or nullopt.
std::optional<std::uint64_t> parse_unsigned(std::string_view text, int base = 10);

} // namespace tiercel::os
