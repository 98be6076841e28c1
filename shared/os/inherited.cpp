// SPDX-License-Identifier: Apache-2.0
//
// Implements what a process does with inherited descriptors, so that no program that it starts has
// them by accident.
#include "shared/os/inherited.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>

namespace tiercel::os {

namespace {

// Before Linux 5.11, close_range(2) does not know the flag.
void mark_close_on_exec() {
    if (close_range(kFirstPassedFd, ~0u, CLOSE_RANGE_CLOEXEC) == 0)
        return;
    long limit = sysconf(_SC_OPEN_MAX);
    for (int fd = kFirstPassedFd; fd < limit; ++fd)
        fcntl(fd, F_SETFD, FD_CLOEXEC); // EBADF: not open
}

Inherited take() {
    Inherited taken;
    mark_close_on_exec();
    const char* pid = getenv("LISTEN_PID");
    const char* count = getenv("LISTEN_FDS");
    if (pid != nullptr && count != nullptr && atoi(pid) == getpid() && atoi(count) > 0)
        taken.listen_fds = atoi(count);
    const char* sockets = getenv("TIERCEL_PRIVD_FD");
    if (sockets != nullptr)
        snprintf(taken.privd_sockets, sizeof taken.privd_sockets, "%s", sockets);
    for (const char* name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "TIERCEL_PRIVD_FD"})
        unsetenv(name);
    return taken;
}

} // namespace

const Inherited& inherited() {
    static const Inherited kTaken = take();
    return kTaken;
}

bool pass_on(int count) {
    char pid[16], fds[16];
    snprintf(pid, sizeof pid, "%d", getpid());
    snprintf(fds, sizeof fds, "%d", count);
    for (int fd = kFirstPassedFd; fd < kFirstPassedFd + count; ++fd)
        if (fcntl(fd, F_SETFD, 0) != 0)
            return false;
    return setenv("LISTEN_PID", pid, 1) == 0 && setenv("LISTEN_FDS", fds, 1) == 0;
}

} // namespace tiercel::os
