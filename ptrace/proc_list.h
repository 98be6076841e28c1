// SPDX-License-Identifier: Apache-2.0
//
// Lists a directory of /proc whose entries are numbers, such as threads or descriptors.
#pragma once

#include <string>
#include <vector>

namespace tiercel::ptrace {

// Returns the numbers in no order; none if the directory does not exist or may not be read.
std::vector<int> numbers_in(const std::string& directory);

} // namespace tiercel::ptrace
