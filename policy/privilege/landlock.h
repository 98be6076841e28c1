// SPDX-License-Identifier: Apache-2.0
//
// Landlock: what this thread and its descendants may still reach in the file system, and whether
// they may use TCP. What is open stays usable. Threads that there are already stay as they were.
#pragma once

#include <cstdint>
#include <span>

#include "shared/os/result.h"

namespace tiercel::policy {

// Rights below a directory, as bits. Making files comes with writing; removing and renaming them is
// a right of its own.
enum : std::uint8_t {
    kReadFiles = 1,
    kWriteFiles = 2,
    kRemoveFiles = 4,
    kExecute = 8,
    kRenameFiles = 16,
    kArrange = 32, // directories and symbolic links are made, renamed and removed
};

struct Beneath {
    int directory = -1; // may be opened with O_PATH; the caller keeps ownership
    std::uint8_t rights = 0;
};

enum class Network : std::uint8_t {
    none,    // no TCP socket is bound or connected (ABI 4)
    connect, // TCP sockets may be connected, and not bound
};

// Forbids every use of files that `allowed` does not name, abstract sockets and signals to
// processes outside (ABI 6). Needs no_new_privs. Returns the ABI that was enforced; 0 where the
// kernel has no Landlock or has it switched off.
os::Result<int> restrict_by_landlock(std::span<const Beneath> allowed, Network network);

} // namespace tiercel::policy
