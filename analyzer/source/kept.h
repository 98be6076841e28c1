// SPDX-License-Identifier: Apache-2.0
//
// A kept session: what privd handed over, given to the service manager to keep (Notify::store()),
// so that the service's next analyzer goes on where this one ends and needs no privilege for it.
// docs/ARCHITECTURE.md, "A restart", describes the whole.
//
// The manager keeps, each by its name: the rings, the counters, the links, one iterator of each
// kind for each later analyzer, a sealed description of the hand-over, and two memories in which
// the analyzer notes its progress and the alerts that are not written yet.
#pragma once

#include <optional>
#include <variant>

#include "analyzer/ring/progress.h"
#include "analyzer/ring/ring_set.h"
#include "analyzer/service/notify.h"
#include "shared/os/mapping.h"
#include "shared/wire/client.h"

namespace tiercel::app {

// How many analyzers read the rings of one load, one after another. The next one asks privd again.
inline constexpr std::uint32_t kReaders = 128;
// The memory of the alerts that are not written yet (output/alerts/kept_lines.h). Pages that were
// never used take no memory.
inline constexpr std::size_t kAlertBytes = 2 << 20;

// The memories of a session that is kept; empty if it is not.
struct Memories {
    ring::Progress progress;
    os::Mapping alerts;
    os::Mapping earlier_alerts; // of the session before, if this one follows it without a gap
};

struct KeptSession {
    wire::Request request; // by which privd loaded
    wire::client::Session session;
    Memories memories;
};

// What an analyzer with another table of events has left. Its records cannot be evaluated, but
// counted. The set is empty if the rings are not those of the modern probe.
struct ForeignSession {
    ring::RingSet rings;
};

using Kept = std::variant<std::monostate, KeptSession, ForeignSession>;

// Takes the session that the manager has kept, with the iterators of this analyzer only. Returns
// std::monostate if there is none. Fails if a part is missing or is not what the description says:
// then only privd can help. Call once.
os::Result<Kept> take_kept();

// Returns true if a probe that was loaded by `loaded` captures all that `wanted` asks for, in the
// same rings.
bool covers(const wire::Request& loaded, const wire::Reply& reply, const wire::Request& wanted);

// Gives the manager a session that privd has just granted. If it fails, the next analyzer has to
// ask privd. Call before the first iterator is read.
os::Result<Memories> keep(const Notify& notify, const wire::Request& request,
                          const wire::client::Session& session);

// Has the manager close all that it has kept.
void forget_kept(const Notify& notify);

} // namespace tiercel::app
