// SPDX-License-Identifier: Apache-2.0
//
// Memory that is handed to the analyzer. Its size is sealed, because a holder that shrank it would
// make the other side's accesses fail with SIGBUS.
#pragma once

#include <cstddef>

#include "shared/os/result.h"
#include "shared/os/unique_fd.h"

namespace tiercel::ptrace {

// Makes a memfd of `bytes` zeros; `name` shows in /proc.
os::Result<os::UniqueFd> make_shared_memory(const char* name, std::size_t bytes);

// Forbids new writable mappings; existing ones stay writable (Linux 5.1).
os::Result<void> seal_against_writing(const os::UniqueFd& memory);

} // namespace tiercel::ptrace
