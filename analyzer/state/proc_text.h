// SPDX-License-Identifier: Apache-2.0
//
// A thread as the files of /proc tell of it (proc(5)), for drivers without iterators: what ran when
// the sensor started. The texts are data of others: whatever they hold, the result is a Thread or
// none.
#pragma once

#include "analyzer/state/thread.h"

#include <optional>

namespace tiercel::state {

// The contents of files of /proc/TID and the targets of its links; empty: not known.
struct ProcTexts {
    std::string_view status = {}, stat = {}, cmdline = {}, cgroup = {}, loginuid = {};
    std::string_view exe = {}, cwd = {};
};

// Nothing when `status` names no thread, as that of one that has ended does not. `boot_ns`: epoch
// time of boot, to which the start is relative.
std::optional<Thread> thread_of(const ProcTexts& texts, std::uint64_t boot_ns);

} // namespace tiercel::state
