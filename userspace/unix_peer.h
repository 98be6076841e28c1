// SPDX-License-Identifier: Apache-2.0
//
// Who is at the other end of a Unix socket: sock_diag(7), which anyone may ask about their own
// network namespace.
#pragma once

namespace tiercel::userspace {

// The inode number of the socket's peer; 0 when it has none or the kernel does not say.
unsigned long long unix_peer(unsigned long long inode);

} // namespace tiercel::userspace
