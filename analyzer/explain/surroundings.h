// SPDX-License-Identifier: Apache-2.0
//
// Facts of the machine that decide nothing about capabilities, but that people ask for when a
// driver or the names of containers do not work.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace tiercel::explain {

// Returns names and values: modules, LSMs, cgroups, sockets of container runtimes, libbpf. Files
// are read below `root`.
std::vector<std::pair<std::string, std::string>> surroundings(const char* root = "");

} // namespace tiercel::explain
