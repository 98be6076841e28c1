// SPDX-License-Identifier: Apache-2.0
//
// Who is at the other end of a Unix socket: sock_diag(7), which anyone may ask about their own
// network namespace.
#pragma once

namespace tiercel::ptrace {

struct UnixPeer {
    unsigned long long inode = 0; // 0: none, none yet, or the kernel does not say
    unsigned queue_limit = 0;     // of a listener, which has no peer
};
UnixPeer unix_peer(unsigned long long inode);

} // namespace tiercel::ptrace
