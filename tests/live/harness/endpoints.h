// SPDX-License-Identifier: Apache-2.0
//
// Sockets for the bodies of tests, made with libc so that only what is tested goes to the log.
#pragma once

#include "tests/live/harness/addresses.h"
#include "tests/live/harness/calls.h"

namespace tiercel::live {

template <typename Address>
const sockaddr* generic(const Address& a) {
    return reinterpret_cast<const sockaddr*>(&a);
}

template <typename Address>
int bound(int type, const Address& a) {
    const int fd = ::socket(generic(a)->sa_family, type, 0), on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (fd < 0 || ::bind(fd, generic(a), sizeof a) < 0)
        _exit(97);
    return fd;
}

template <typename Address>
int listening(const Address& a, int backlog = 5) {
    const int fd = bound(SOCK_STREAM, a);
    if (::listen(fd, backlog) < 0)
        _exit(97);
    return fd;
}

// A socket bound to `from` and connected to `to`.
template <typename Address>
int connected(int type, const Address& from, const Address& to) {
    const int fd = bound(type, from);
    if (::connect(fd, generic(to), sizeof to) < 0)
        _exit(97);
    return fd;
}

} // namespace tiercel::live
