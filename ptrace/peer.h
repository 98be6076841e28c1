// SPDX-License-Identifier: Apache-2.0
//
// Peer: the analyzer that the events are for: one that is started here, at the other end of a
// socket pair, or the first of the right user that connects to a socket.
#pragma once

#include "shared/os/result.h"
#include "shared/os/unique_fd.h"

#include <sys/types.h>

namespace tiercel::ptrace {

struct Peer {
    os::UniqueFd socket;
    pid_t child = 0; // 0: it is nobody's child here
};

// Starts `command` by the shell, in a session of its own so that the terminal's signals are the
// traced command's alone; its standard output is our standard error. Run as root, it becomes
// `account` first (nullptr: tiercel if there is such a user, else nobody).
os::Result<Peer> start_peer(const char* command, const char* account);

// Listens at `path` and waits for a peer of this process's user, or of `account`.
os::Result<Peer> await_peer(const char* path, const char* account);

// Waits until a started peer has ended, at most `milliseconds`; its wait status, or -1.
int wait_for(Peer& peer, unsigned milliseconds);

} // namespace tiercel::ptrace
