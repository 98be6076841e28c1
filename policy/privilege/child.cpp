// SPDX-License-Identifier: Apache-2.0
#include "policy/privilege/child.h"

#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>

#include "shared/os/close.h"

namespace tiercel::policy {

void become_child(const char* name, int socket, int first_closed, std::span<const Allow> calls,
                  Refused refused) {
    prctl(PR_SET_NAME, name, 0, 0, 0);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    for (const int ignored : {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGPIPE})
        std::signal(ignored, SIG_IGN);
    os::close_all_but(socket, first_closed);
    if (!allow_only(calls, refused))
        _exit(1);
}

} // namespace tiercel::policy
