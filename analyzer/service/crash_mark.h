// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace tiercel::app {

// From now on, a crash of the calling thread (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT) stores the
// signal's number in `word` before it ends the process as it would otherwise. `word` is in memory
// that other processes share, and must outlive the thread. Call before the sandbox.
void mark_crashes(std::uint64_t& word);

} // namespace tiercel::app
