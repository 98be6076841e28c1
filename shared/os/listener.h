// SPDX-License-Identifier: Apache-2.0
//
// Listening Unix sockets of the small services.
#pragma once

#include "shared/os/result.h"
#include "shared/os/unique_fd.h"

namespace tiercel::os {

// Listens at `path` with a socket of `type` (SOCK_STREAM, SOCK_SEQPACKET). Replaces a socket that a
// process left behind that has ended. The socket has mode 0660, because the group of its directory
// decides who may connect. Changes the umask.
Result<UniqueFd> listen_at(const char* path, int type);

// Returns the one listening socket that systemd passed (sd_listen_fds(3)).
Result<UniqueFd> passed_listener(int type);

} // namespace tiercel::os
