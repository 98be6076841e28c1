// SPDX-License-Identifier: Apache-2.0
//
// Live: the rings and counters that privd sent, mapped and ready to be read. It owns the link
// descriptors. The probe stays attached as long as they are open.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "analyzer/ring/counters.h"
#include "analyzer/ring/ring_set.h"
#include "analyzer/source/kept.h"
#include "analyzer/source/overlap.h"
#include "shared/wire/client.h"

namespace tiercel::app {

struct Live {
    wire::Request request; // by which the probe was loaded
    os::UniqueFd privd;    // open for the whole session: a privd that stays ends when it closes
    wire::client::Session session;
    ring::RingSet rings;
    ring::Counters counters;
    Memories memories;                      // of a session that is kept for the next analyzer
    bool is_resumed = false;                // it was another analyzer's
    bool may_load_again = true;             // a later analyzer can ask privd
    bool has_own_events = false;            // the probe captures what this process does
    std::vector<std::byte> poison;          // a record that crashed its reader, and was passed over
    std::optional<Predecessor> predecessor; // its events come first
    std::uint64_t since = 0;                // events of the rings before this time are left out
    std::uint64_t lost_events = 0;          // that no analyzer gets, because of this start
};

// privd refused. The line says why and what to do, without the program's name.
struct Refusal {
    std::string line;
};

inline constexpr const char* kDefaultSocket = "/run/tiercel/privd.sock";

// Connects to privd, sends the request, and maps the rings that privd sends. With a `path`,
// connects to it and waits three seconds for a listener. With an empty one, takes the sockets that
// $TIERCEL_PRIVD_FD names (numbers with commas between them), or connects to kDefaultSocket. Each
// of several sockets belongs to another driver: the first driver that grants is taken, and the
// refusals before it are printed. Blocks until the probe is attached.
//
// If the service manager has kept a session that captures enough, goes on with that, and asks no
// privd. Otherwise gives the manager the new session to keep, if there is a manager. A kept session
// that captures too little becomes the new one's predecessor.
std::variant<Live, Refusal, os::Error> open_live(const std::string& path, wire::Request request,
                                                 const Notify& notify);

} // namespace tiercel::app
