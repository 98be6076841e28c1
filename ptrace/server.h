// SPDX-License-Identifier: Apache-2.0
//
// The driver's end of the protocol (shared/wire/messages.h): what a peer asks, and what it gets.
#pragma once

#include "ptrace/output.h"
#include "ptrace/snapshot.h"
#include "shared/wire/messages.h"

namespace tiercel::ptrace {

// Waits for the peer's request and checks it. A request that cannot be granted has been refused,
// with the reason, when an error comes back.
os::Result<wire::Request> receive_request(const os::UniqueFd& socket);

// Grants it: answers, and hands everything over. `began_ns`: CLOCK_MONOTONIC when the work began.
os::Result<void> hand_over(const os::UniqueFd& socket, const wire::Request& request,
                           const Output& output, const Snapshot& snapshot, std::uint64_t began_ns);

// Tells the peer that the kernel said no when a thread was to be traced.
void refuse(const os::UniqueFd& socket, int number);

std::uint64_t monotonic_ns();

} // namespace tiercel::ptrace
