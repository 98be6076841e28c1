// SPDX-License-Identifier: Apache-2.0
//
// Sending descriptors in a message of a Unix socket (SCM_RIGHTS, unix(7)).
#pragma once

#include <sys/socket.h>

#include <cstring>
#include <span>

namespace tiercel::os {

// Puts `fds` into the message's control data, which is CMSG_LEN(fds.size_bytes()) long. The caller
// keeps them, until and after the message is sent.
inline void attach_fds(const msghdr& message, std::span<const int> fds) {
    cmsghdr* rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(fds.size_bytes());
    std::memcpy(CMSG_DATA(rights), fds.data(), fds.size_bytes());
}

} // namespace tiercel::os
