// SPDX-License-Identifier: Apache-2.0
#include "shared/os/listener.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cstring>

#include "shared/os/inherited.h"

namespace tiercel::os {

Result<UniqueFd> listen_at(const char* path, int type) {
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    const auto* generic = reinterpret_cast<const sockaddr*>(&address);
    if (std::strlen(path) >= sizeof address.sun_path)
        return error("listen at", path, ENAMETOOLONG);
    std::memcpy(address.sun_path, path, std::strlen(path));
    const UniqueFd probe(socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
    if (connect(probe.get(), generic, sizeof address) != 0 && errno == ECONNREFUSED)
        unlink(path);
    umask(0117);
    UniqueFd listener(socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
    if (bind(listener.get(), generic, sizeof address) != 0 || listen(listener.get(), 8) != 0)
        return error("listen (is the service running already?) at", path);
    return listener;
}

Result<UniqueFd> passed_listener(int type) {
    int passed_type = 0;
    socklen_t length = sizeof passed_type;
    if (inherited().listen_fds != 1 ||
        getsockopt(kFirstPassedFd, SOL_SOCKET, SO_TYPE, &passed_type, &length) != 0 ||
        passed_type != type)
        return error("serve: no --socket is given, and no socket of the right type was passed", {},
                     0);
    return UniqueFd(kFirstPassedFd);
}

} // namespace tiercel::os
