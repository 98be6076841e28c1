// SPDX-License-Identifier: Apache-2.0
//
// What was there before the first event, in the form in which a BPF iterator would tell it: the
// traced processes with their threads and open files, and their ancestors.
#pragma once

#include "shared/os/result.h"
#include "shared/os/unique_fd.h"

#include <sys/types.h>

namespace tiercel::ptrace {

struct Snapshot {
    os::UniqueFd tasks, files; // to be read from their beginning to their end
};

// `about_to_exec`: what the process has open only until then is left out.
os::Result<Snapshot> take_snapshot(pid_t pid, bool about_to_exec);

} // namespace tiercel::ptrace
