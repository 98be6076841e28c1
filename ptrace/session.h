// SPDX-License-Identifier: Apache-2.0
//
// Session: one target traced for one peer, from the peer's request to the end of either.
#pragma once

#include "ptrace/peer.h"

#include <linux/filter.h>
#include <vector>

namespace tiercel::ptrace {

struct Target {
    pid_t pid = 0;
    bool waits = false; // a process of ours about to become the command: start() lets it go on
    // Given the filter that the process has to install before it execs.
    os::Result<void> (*start)(const os::UniqueFd& control,
                              const std::vector<sock_filter>&) = nullptr;
    os::UniqueFd control; // to that process
};

// The exit code for a traced process that ran before: 0, or 1 when the peer failed. Errors are
// those of the beginning: the peer has been told, and the target runs as before or not at all.
os::Result<int> run_session(Peer peer, Target target);

} // namespace tiercel::ptrace
