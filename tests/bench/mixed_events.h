// SPDX-License-Identifier: Apache-2.0
//
// A capture of a machine at work, made up: 64 processes that read, write, open and close files,
// connect, map memory, wait, fork and exec, in shares such as servers and builds show them.
#pragma once

#include <cstdint>

#include "shared/os/unique_fd.h"

namespace tiercel::bench {

// `events` or a few more, in the current schema, the same at each call. In memory; invalid: there
// is not enough.
os::UniqueFd mixed_capture(std::uint64_t events);

} // namespace tiercel::bench
