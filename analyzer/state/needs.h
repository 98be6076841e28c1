// SPDX-License-Identifier: Apache-2.0
//
// Needs: which calls change the tables of threads and fds. The other calls of the same kind need
// not leave the kernel for the state's sake.
#pragma once

#include <cstdint>
#include <span>

namespace tiercel::state {

enum class Failures : std::uint8_t {
    none,
    pending, // EINPROGRESS
    all,
};

struct Need {
    bool succeeded = false;             // calls that succeeded
    Failures failures = Failures::none; // and these that failed
    // If there are any: only calls with one of these numbers, which are the kernel's, in this
    // argument; kLarger stands for itself and all larger numbers.
    static constexpr std::uint8_t kLarger = 63;
    std::uint8_t argument = 0;
    std::span<const std::uint8_t> values{};
    bool not_on_tcp = false; // no calls whose first argument is a TCP socket
};

// What the tables need of the events with this code; nothing if they do not live on them
// (lives_on()). `connected`: a rule or an output reads whether TCP sockets are connected.
Need need_of(std::uint16_t code, bool connected);

} // namespace tiercel::state
