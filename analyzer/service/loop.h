// SPDX-License-Identifier: Apache-2.0
//
// Loop: waits for rings, signals and the end of the time, and calls back. The constructor opens
// everything it needs of the kernel (epoll, timerfd, pipes), because the sandbox forbids that.
//
// The probe wakes the reader only when a ring is a quarter full. Otherwise the loop reads after a
// pause, which grows to 40 ms while few events come and shrinks to 1 ms while many come. If a ring
// fills faster than that, there is no pause.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <span>

#include "shared/os/result.h"
#include "shared/os/unique_fd.h"

namespace tiercel::app {

class Loop {
  public:
    static constexpr std::chrono::milliseconds kShortest{1}, kLongest{40};

    struct Callbacks {
        // Reads the events that wait. Returns how many bytes the fullest ring held; stop() ends
        // the loop.
        std::function<std::size_t()> read;
        std::function<void()> report; // SIGUSR1
        std::function<void()> reopen; // SIGHUP
    };

    // `wakeups` must outlive the loop. `pipes`: they are a driver's pipes (wire::Kind::wakeup),
    // which are emptied, and whose end is the end of all events. `ring_bytes`: the size of a ring.
    // `seconds`: end after this time; 0 means never. Makes the process ignore SIGPIPE. Throws
    // boost::system::system_error if the kernel refuses.
    Loop(std::span<const os::UniqueFd> wakeups, bool pipes, std::size_t ring_bytes,
         std::uint64_t seconds, Callbacks callbacks);
    ~Loop();

    // Call both before the sandbox. Calls `ready` whenever `fd` is readable, until `ready` returns
    // false; the caller keeps `fd`.
    void watch(const os::UniqueFd& fd, std::function<bool()> ready);
    void every(std::chrono::seconds time, std::function<void()> then);

    // Runs until SIGINT, SIGTERM, the end of the time, the end of the driver's pipes, or stop().
    void run();
    void stop();

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

// Returns the pause after one of `last` in which the fullest ring collected `bytes`; zero: read on
// at once.
std::chrono::milliseconds next_pause(std::chrono::milliseconds last, std::size_t bytes,
                                     std::size_t ring_bytes);

} // namespace tiercel::app
