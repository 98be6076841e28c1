// SPDX-License-Identifier: Apache-2.0
//
// Peer: the analyzer that gets the events. It is either started here, with one end of a socket
// pair, or it is the first process of the right user that connects to a socket.
#pragma once

#include <sys/types.h>

#include "shared/os/result.h"
#include "shared/os/unique_fd.h"

namespace tiercel::ptrace {

struct Peer {
    os::UniqueFd socket;
    pid_t child = 0; // 0: the peer was not started here
};

// Starts `command` by the shell, in a session of its own, so that the terminal's signals reach the
// traced command alone. Its standard output is our standard error. If this process is root, the
// peer becomes `account` first; nullptr means the user tiercel if it exists, else nobody.
os::Result<Peer> start_peer(const char* command, const char* account);

// Listens at `path` and waits for a peer of this process's user, or of `account`.
os::Result<Peer> await_peer(const char* path, const char* account);

// Waits at most `milliseconds` for a started peer to end. Returns its wait status, or -1.
int wait_for(Peer& peer, unsigned milliseconds);

} // namespace tiercel::ptrace
