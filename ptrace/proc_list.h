// SPDX-License-Identifier: Apache-2.0
//
// The numbers that a directory of /proc lists: threads of a process, its descriptors.
#pragma once

#include <string>
#include <vector>

namespace tiercel::ptrace {

// In no order; none when there is no such directory or it may not be read.
std::vector<int> numbers_in(const std::string& directory);

} // namespace tiercel::ptrace
