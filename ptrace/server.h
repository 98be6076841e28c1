// SPDX-License-Identifier: Apache-2.0
//
// The driver's end of the protocol (shared/wire/messages.h): reads the request and answers it.
#pragma once

#include "ptrace/output.h"
#include "ptrace/snapshot.h"
#include "shared/wire/messages.h"

namespace tiercel::ptrace {

// Waits for the peer's request and checks it. On error the request has been refused already, and
// the peer has been told the reason.
os::Result<wire::Request> receive_request(const os::UniqueFd& socket);

// Grants the request: answers, and hands all descriptors over. `began_ns` is CLOCK_MONOTONIC, ns.
os::Result<void> hand_over(const os::UniqueFd& socket, const wire::Request& request,
                           const Output& output, const Snapshot& snapshot, std::uint64_t began_ns);

// Tells the peer that the kernel refused to trace a thread.
void refuse(const os::UniqueFd& socket, int number);

std::uint64_t monotonic_ns();

} // namespace tiercel::ptrace
