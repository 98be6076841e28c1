// SPDX-License-Identifier: Apache-2.0
//
// Notify: tells the service manager that the analyzer starts, watches, is alive, and ends. It sends
// the datagrams of sd_notify(3) on a socket that is connected before the sandbox. Where there is no
// service manager, tiercel-keeper keeps descriptors in its place (keeper/store.h). With neither it
// does nothing.
#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "shared/os/result.h"
#include "shared/os/unique_fd.h"

namespace tiercel::app {

class Notify {
  public:
    // Connects to $NOTIFY_SOCKET (a path, or an abstract name that begins with '@'), and reads
    // $WATCHDOG_USEC and $WATCHDOG_PID. Without a manager, connects to the keeper of
    // $TIERCEL_KEEPER (a path, or the number of a socket), and receives what it has kept. Removes
    // all four from the environment. Without the keeper it prints why, and goes on.
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

    // Returns true if there is a manager, which may keep descriptors.
    bool has_manager() const { return socket_.valid(); }
    // Returns true if a later analyzer can have privd load anew, which a keeper that has started
    // the analyzer cannot.
    bool has_privd() const { return has_privd_; }
    // Gives the manager descriptors to keep (FDSTORE=1), which the service's next process gets by
    // this name (passed_fds.h). It keeps them while the service is not stopped. At most
    // kMostStored; the caller keeps its own. Waits until the manager has room for the message, at
    // most until `deadline_ns` of CLOCK_MONOTONIC: ETIMEDOUT. Call before the sandbox.
    static constexpr std::size_t kMostStored = 200; // below SCM_MAX_FD (253)
    os::Result<void> store(std::string_view name, std::span<const int> fds,
                           std::uint64_t deadline_ns) const;
    // Has the manager close all descriptors that it keeps by this name.
    void forget(std::string_view name, std::uint64_t deadline_ns) const;

  private:
    void send(const std::string& message) const;
    bool wait_and_send(const msghdr& message, std::uint64_t deadline_ns) const;

    static Notify of_keeper(const std::string& where);

    os::UniqueFd socket_; // invalid: there is no manager
    bool has_privd_ = true;
    std::uint64_t every_ns_ = 0;
    std::uint64_t next_ns_ = 0;
};

} // namespace tiercel::app
