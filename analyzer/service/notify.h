// SPDX-License-Identifier: Apache-2.0
//
// Notify: tells the service manager that the analyzer watches, is still alive, and ends: the
// datagrams of sd_notify(3), on a socket that is connected before the sandbox closes. Without a
// manager ($NOTIFY_SOCKET unset) it does nothing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "shared/os/result.h"
#include "shared/os/unique_fd.h"

namespace tiercel::app {

class Notify {
  public:
    // Connects to $NOTIFY_SOCKET (a path, or an abstract name that begins with '@'), and reads
    // $WATCHDOG_USEC and $WATCHDOG_PID; takes all three out of the environment.
    static os::Result<Notify> from_environment();

    // `status` is shown by `systemctl status`; one line.
    void ready(std::string_view status) const;
    // To be called often, with CLOCK_MONOTONIC in nanoseconds: tells the watchdog at most every
    // half of its time.
    void alive(std::uint64_t now_ns);
    void stopping() const;

  private:
    void send(const std::string& message) const;

    os::UniqueFd socket_; // invalid: nobody listens
    std::uint64_t every_ns_ = 0;
    std::uint64_t next_ns_ = 0;
};

} // namespace tiercel::app
