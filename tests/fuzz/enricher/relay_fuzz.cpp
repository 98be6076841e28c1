// SPDX-License-Identifier: Apache-2.0
//
// Fuzz target: any records as what a peer sends to the enricher. The first byte of the input is the
// length of the first record, and so on. The relay must end when the peer has closed.
#include <sys/socket.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "enricher/relay.h"

using namespace tiercel;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
        abort();
    const os::UniqueFd relay(ends[0]);
    os::UniqueFd peer(ends[1]);
    while (size > 1) {
        const std::size_t length = std::min<std::size_t>(data[0], size - 1);
        // A full socket ends the input: the relay has enough to read then.
        if (send(peer.get(), data + 1, length, MSG_NOSIGNAL) < 0)
            break;
        data += 1 + length;
        size -= 1 + length;
    }
    shutdown(peer.get(), SHUT_WR);
    // No runtime has a socket here, so every question is answered at once.
    const enricher::Paths no_runtimes{};
    static_cast<void>(enricher::serve(relay, no_runtimes));
    return 0;
}
