// SPDX-License-Identifier: Apache-2.0
//
// What the processes that have the network give up: the courier, and the download of rules.
#pragma once

#include <string>
#include <vector>

#include "shared/os/result.h"

namespace tiercel::courier {

// Gives up capabilities, new privileges and core files, and hides this process's memory from its
// account. Call before any thread is started.
os::Result<void> give_up_privileges();

// Leaves the network, and of the file system what libraries read for it, the directories of `files`
// and `writable`, if it is not empty. Loads the resolver's modules first. `program` must be a
// literal; it names a refused system call.
os::Result<void> confine_to_network(const std::vector<std::string>& files,
                                    const std::string& writable, const char* program);

} // namespace tiercel::courier
