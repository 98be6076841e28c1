// SPDX-License-Identifier: Apache-2.0
//
// Lists a directory of /proc whose entries are numbers: processes, or the threads of one.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tiercel::app {

// Returns the numbers among the entries; none if the directory cannot be read.
std::vector<std::int32_t> numbers_in(const std::string& path);

} // namespace tiercel::app
