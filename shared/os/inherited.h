// SPDX-License-Identifier: Apache-2.0
//
// The descriptors that a process was started with besides the three standard streams, and the
// variables that name them (sd_listen_fds(3), and privd's for its analyzer).
#pragma once

namespace tiercel::os {

constexpr int kFirstPassedFd = 3; // SD_LISTEN_FDS_START

struct Inherited {
    int listen_fds = 0;          // how many were passed to this process, from kFirstPassedFd on
    char privd_sockets[64] = {}; // TIERCEL_PRIVD_FD: numbers with commas between them; "" if unset
};

// The first call marks every descriptor above stderr close-on-exec, notes the variables
// LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES and TIERCEL_PRIVD_FD and unsets them; main() makes it
// before anything else. Later calls return the same.
const Inherited& inherited();

// Undoes that for the next program of this very process: sets LISTEN_PID and LISTEN_FDS, and keeps
// the `count` descriptors from kFirstPassedFd on over the exec. Returns false with errno.
bool pass_on(int count);

} // namespace tiercel::os
