// SPDX-License-Identifier: Apache-2.0
//
// Finds the other end of a Unix socket by sock_diag(7), which any process may use for its own
// network namespace.
#pragma once

namespace tiercel::ptrace {

struct UnixPeer {
    unsigned long long inode = 0; // 0: none, not yet connected, or the kernel does not say
    unsigned queue_limit = 0;     // of a listening socket, which has no peer
};
UnixPeer unix_peer(unsigned long long inode);

} // namespace tiercel::ptrace
