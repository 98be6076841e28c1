// SPDX-License-Identifier: Apache-2.0
//
// Notify: tells the service manager that the analyzer starts, watches, is alive, and ends. It sends
// the datagrams of sd_notify(3) on a socket that is connected before the sandbox. Without a manager
// ($NOTIFY_SOCKET unset) it does nothing.
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
    // $WATCHDOG_USEC and $WATCHDOG_PID; removes all three from the environment.
    static os::Result<Notify> from_environment();

    // `status` is one line, which `systemctl status` shows. starting() gives the start two more
    // minutes before systemd calls it failed, because rules and probe may take long to load.
    void starting(std::string_view status) const;
    void ready(std::string_view status) const;
    void status(std::string_view status) const;
    // Call often, with CLOCK_MONOTONIC in nanoseconds. Tells the watchdog at most once in half of
    // its time.
    void alive(std::uint64_t now_ns);
    void stopping() const;

  private:
    void send(const std::string& message) const;

    os::UniqueFd socket_; // invalid: there is no manager
    std::uint64_t every_ns_ = 0;
    std::uint64_t next_ns_ = 0;
};

} // namespace tiercel::app
