// SPDX-License-Identifier: Apache-2.0
//
// Relay: a session with one peer. It carries what a runtime answers, and never looks at it.
#pragma once

#include <array>

#include "shared/os/result.h"
#include "shared/os/unique_fd.h"
#include "shared/wire/enrich.h"

namespace tiercel::enricher {

// The path of each runtime's socket, by wire::enrich::Runtime; nullptr: not to be asked.
using Paths = std::array<const char*, wire::enrich::kRuntimes>;

// How long a runtime has for its whole answer.
constexpr int kPatienceMs = 2000;

// Answers questions until the peer closes (no error) or breaks the protocol. The peer has been
// judged already. A runtime's failure is told to the peer and ends nothing.
os::Result<void> serve(const os::UniqueFd& peer, const Paths& paths);

} // namespace tiercel::enricher
