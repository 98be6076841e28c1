// SPDX-License-Identifier: Apache-2.0
//
// Reading the files of the courier's programs. What goes wrong is printed on standard error, after
// the program's name.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "courier/config/config.h"

namespace tiercel::courier {

inline constexpr const char* kConfigPath = "/etc/tiercel/courier.yaml"; // by default

// Returns the file's text, or nothing after printing why.
std::optional<std::string> read_text(const char* program, const std::string& path);

// read_config() or read_falco_config(): returns what is wrong with the text.
using Read = std::vector<std::string> (*)(std::string_view text, Config& config);

// Reads the file into `config`. Prints what is wrong with it, and returns whether nothing is.
bool read_file(const char* program, const char* path, Read read, Config& config);

} // namespace tiercel::courier
