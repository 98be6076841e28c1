// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace tiercel::app {

// Keeps a record that crashed its reader, for a report: a file of mode 0600 in the directory of
// $STATE_DIRECTORY whose name ends in "/crash". Call before the sandbox. Returns the file's path;
// empty if there is no such directory, it has kMostPoison files already, or the file cannot be
// made.
inline constexpr int kMostPoison = 16;
std::string keep_poison(std::span<const std::byte> record);

} // namespace tiercel::app
