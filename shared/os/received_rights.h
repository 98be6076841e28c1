// SPDX-License-Identifier: Apache-2.0
//
// Descriptors in a received message of a Unix socket (SCM_RIGHTS, unix(7)). privd takes none, so it
// does not include this.
#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <cstring>
#include <span>
#include <utility>

#include "shared/os/unique_fd.h"

namespace tiercel::os {

// Takes the descriptors of a received message, and returns how many came. Those for which `fds` has
// no room are closed: the padding of CMSG_SPACE can let one more in.
inline std::size_t take_fds(const msghdr& message, std::span<UniqueFd> fds) {
    std::size_t count = 0;
    const cmsghdr* rights = CMSG_FIRSTHDR(&message);
    if (!rights || rights->cmsg_level != SOL_SOCKET || rights->cmsg_type != SCM_RIGHTS)
        return 0;
    for (; CMSG_LEN((count + 1) * sizeof(int)) <= rights->cmsg_len; ++count) {
        int fd = -1;
        std::memcpy(&fd, CMSG_DATA(rights) + count * sizeof fd, sizeof fd);
        UniqueFd owned(fd);
        if (count < fds.size())
            fds[count] = std::move(owned);
    }
    return count < fds.size() ? count : fds.size();
}

} // namespace tiercel::os
