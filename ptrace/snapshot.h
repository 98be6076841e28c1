// SPDX-License-Identifier: Apache-2.0
//
// The state before the first event, in the form that a BPF iterator gives it: the traced processes
// with their threads and open files, and their ancestors.
#pragma once

#include <sys/types.h>

#include "shared/os/result.h"
#include "shared/os/unique_fd.h"

namespace tiercel::ptrace {

struct Snapshot {
    os::UniqueFd tasks, files; // memfds, to be read from start to end
};

// `about_to_exec` leaves out descriptors that the exec will close.
os::Result<Snapshot> take_snapshot(pid_t pid, bool about_to_exec);

} // namespace tiercel::ptrace
