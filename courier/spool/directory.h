// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "shared/os/result.h"
#include "shared/os/unique_fd.h"

namespace tiercel::courier {

// Opens the directory and takes its lock, so that no second courier uses it. The lock lasts as long
// as the second descriptor.
struct Directory {
    os::UniqueFd fd;
    os::UniqueFd lock;
};
os::Result<Directory> open_directory(const std::string& path);

// The bytes that tell this host from all others. They are made at random at the first start and
// kept in the directory, because names of hosts are used twice and change.
using AgentId = std::array<std::uint8_t, 16>;
os::Result<AgentId> agent_id(const os::UniqueFd& directory);

// Returns the names of the directory's files.
std::vector<std::string> files_of(const os::UniqueFd& directory);

} // namespace tiercel::courier
