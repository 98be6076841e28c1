// SPDX-License-Identifier: Apache-2.0
//
// Live: what privd has handed over, mapped and ready to be read. It owns the link fds: as long as
// they are open the probe stays attached.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "analyzer/ring/counters.h"
#include "analyzer/ring/ring_set.h"
#include "shared/wire/client.h"

namespace tiercel::app {

struct Live {
    os::UniqueFd privd; // open as long as the session: by its end a privd that stays knows of ours
    wire::client::Session session;
    ring::RingSet rings;
    ring::Counters counters;
};

// privd refused: one line that says why and what to do, complete but for the program's name.
struct Refusal {
    std::string line;
};

// Connects to a socket of ours. Containers, and units without socket activation, are started all at
// once: who should listen may not do so yet, and is waited for, three seconds at most.
os::Result<os::UniqueFd> connect_patiently(const char* path);

// Reaches privd (at `path`, for which it waits three seconds; if that is empty through the sockets
// in $TIERCEL_PRIVD_FD, numbers with commas between them, otherwise at the default path), asks, and
// maps what comes. Of several sockets, each another driver's, the first that grants is taken; why
// those before it did not is told on standard error. Blocks until the probe is attached.
std::variant<Live, Refusal, os::Error> open_live(const std::string& path,
                                                 const wire::Request& request);

} // namespace tiercel::app
