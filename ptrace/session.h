// SPDX-License-Identifier: Apache-2.0
//
// Session: one target traced for one peer, from the peer's request to the end of either.
#pragma once

#include <linux/filter.h>

#include <vector>

#include "ptrace/peer.h"

namespace tiercel::ptrace {

struct Target {
    pid_t pid = 0;
    // The target is a process of ours, which waits for start() and then becomes the command.
    bool waits = false;
    // Sends the target the filter that it installs before it execs.
    os::Result<void> (*start)(const os::UniqueFd& control,
                              const std::vector<sock_filter>&) = nullptr;
    os::UniqueFd control; // the socket to that process
};

// Traces until the target or the peer ends. Returns the exit code of tiercel-trace -p: 0, or 1 if
// the peer failed. On an error at the start, the peer has been told, and the target is not traced.
os::Result<int> run_session(Peer peer, Target target);

} // namespace tiercel::ptrace
