// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <string>

#include "shared/os/result.h"
#include "shared/os/unique_fd.h"

namespace tiercel::alerts {

// Connects a Unix socket of `type` to `path`. `what` names the peer in the error.
inline os::Result<os::UniqueFd> connect_unix(const char* what, const std::string& path, int type) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path)
        return os::error(what, path, ENAMETOOLONG);
    path.copy(address.sun_path, path.size());
    os::UniqueFd fd(socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
    if (!fd.valid() ||
        connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
        return os::error(what, path);
    return fd;
}

} // namespace tiercel::alerts
