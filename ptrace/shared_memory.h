// SPDX-License-Identifier: Apache-2.0
//
// Memory that is handed to the analyzer: its size is sealed, so that nobody can cut it off under
// the feet of who has it mapped.
#pragma once

#include "shared/os/result.h"
#include "shared/os/unique_fd.h"

#include <cstddef>

namespace tiercel::ptrace {

// A memfd of `bytes` zeros; `name` shows in /proc.
os::Result<os::UniqueFd> make_shared_memory(const char* name, std::size_t bytes);

// From now on nobody who has not mapped it yet can write it (Linux 5.1).
os::Result<void> seal_against_writing(const os::UniqueFd& memory);

} // namespace tiercel::ptrace
