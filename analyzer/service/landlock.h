// SPDX-License-Identifier: Apache-2.0
//
// Landlock: this thread and its descendants may open, make or execute nothing in any file system,
// bind or connect no TCP socket (ABI 4), reach no abstract socket and signal no process outside
// (ABI 6). What is open stays usable. Threads that there are already stay as they were.
#pragma once

#include <span>

#include "shared/os/result.h"

namespace tiercel::app {

// The ABI that was enforced; 0 where the kernel has no Landlock or has it switched off. Needs
// no_new_privs. Below the directories of the fds `writable`, files may be made and written; below
// those of `renaming`, files may get other names.
os::Result<int> deny_by_landlock(std::span<const int> writable = {},
                                 std::span<const int> renaming = {});

} // namespace tiercel::app
