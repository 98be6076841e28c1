// SPDX-License-Identifier: Apache-2.0
//
// Sending and receiving one record of messages.h. The client, who alone is sent fds, has a receive
// of its own (client.h).
#pragma once

#include <span>

#include "shared/os/result.h"
#include "shared/os/unique_fd.h"
#include "shared/wire/messages.h"

namespace tiercel::wire {

// Sends one record; `fds`, at most kFdsPerMessage, stay the caller's. A peer that has gone is
// EPIPE, never SIGPIPE.
os::Result<void> send_record(const os::UniqueFd& socket, const void* record, std::size_t bytes,
                             std::span<const int> fds = {});

// Receives one record of at most `bytes` bytes and gives its size. Errors: EMSGSIZE when it was
// longer or had fds, which the kernel has closed; ECONNRESET when the peer closed; otherwise
// recvmsg(2)'s.
os::Result<std::size_t> receive_record(const os::UniqueFd& socket, void* record, std::size_t bytes);

// The first field of the request whose value is out of its limits, or ok. Whether this driver has
// what is asked for is the driver's to say.
Status check_values(const Request& request);

// Sends descriptors of one kind, in as many records as they need; they stay the caller's.
os::Result<void> send_fds(const os::UniqueFd& socket, Kind kind, std::span<const os::UniqueFd> fds);

// Whether `header`, of a record of `got` bytes, opens a message of `type` and `want` bytes:
// ok, wrong_version or malformed.
Status check_header(const Header& header, std::size_t got, Type type, std::size_t want);

template <typename Message>
os::Result<void> send_message(const os::UniqueFd& socket, const Message& message,
                              std::span<const int> fds = {}) {
    return send_record(socket, &message, sizeof message, fds);
}

} // namespace tiercel::wire
