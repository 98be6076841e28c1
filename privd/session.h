// SPDX-License-Identifier: Apache-2.0
//
// Session: a conversation with one peer, from its request to the hand-over and, with a door,
// beyond. The peer's whole input grammar is two records: the request of session.cpp, and the one of
// the driver's `after`.
#pragma once

#include <sys/socket.h>

#include "privd/drivers/driver.h"
#include "shared/wire/channel.h"

namespace tiercel::privd {

constexpr uid_t kAnyUid = ~0u;

struct Session {
    const Driver& driver;
    policy::Plan plan;
    wire::Reply refusal;    // of every request, unless its status is ok: privd lacks what it needs
    bool stay = false;      // stay after the hand-over, to end when the peer does; answer nothing
    uid_t serves = kAnyUid; // the only uid that is served
    os::UniqueFd socket = {};
    ucred peer = {}; // the analyzer's process
    policy::Phase phase = policy::Phase::load;

    // Serves until the peer closes, breaks the protocol or has everything. The first error is the
    // session's, never privd's: the caller takes the next peer unless phase is past load.
    os::Result<void> run();
};

} // namespace tiercel::privd
