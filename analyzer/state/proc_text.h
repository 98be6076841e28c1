// SPDX-License-Identifier: Apache-2.0
//
// Parses a thread from the files of /proc (proc(5)), for drivers without iterators. Other processes
// control these texts, so every content gives a Thread or nothing.
#pragma once

#include <optional>

#include "analyzer/state/thread.h"

namespace tiercel::state {

// The contents of files of /proc/TID and the targets of its links; empty if not known.
struct ProcTexts {
    std::string_view status = {}, stat = {}, cmdline = {}, cgroup = {}, loginuid = {};
    std::string_view exe = {}, cwd = {};
};

// Sets the first argument and the others from a text in which each argument ends with NUL.
void set_command_line(Thread& thread, std::string_view argv);

// Returns nothing if `status` names no thread, because the thread has ended. `boot_ns` is the time
// of boot in ns since the epoch; start times are relative to it.
std::optional<Thread> thread_of(const ProcTexts& texts, std::uint64_t boot_ns);

} // namespace tiercel::state
