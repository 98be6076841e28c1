// SPDX-License-Identifier: Apache-2.0
//
// Loop: waits for rings, signals and the end of the time, and calls back. Everything it needs of
// the kernel (epoll, timerfd, pipes) it opens when it is made, before the sandbox.
//
// The probe hardly ever wakes a reader: it does so when a ring is a quarter full. Otherwise the
// loop looks by itself, after a pause that grows to 40 ms while little happens and shrinks to 1 ms
// while much does; with the ring filling faster than that it does not pause at all.
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
        // Reads what is there. Returns how many bytes the fullest ring held; `stop()` ends the
        // loop.
        std::function<std::size_t()> read;
        std::function<void()> report; // SIGUSR1
        std::function<void()> reopen; // SIGHUP
    };

    // `wakeups` are lent, for as long as the loop lives; `pipes`: they are a driver's pipes
    // (wire::Kind::wakeup), to be emptied, whose end is the end of all events. What is read holds
    // `ring_bytes`. SIGPIPE is ignored from now on. `seconds`: 0: no end. Throws
    // boost::system::system_error when the kernel refuses.
    Loop(std::span<const os::UniqueFd> wakeups, bool pipes, std::size_t ring_bytes,
         std::uint64_t seconds, Callbacks callbacks);
    ~Loop();

    // Both before the sandbox. Calls `ready` whenever `fd` (lent) is readable, until that is false.
    void watch(const os::UniqueFd& fd, std::function<bool()> ready);
    void every(std::chrono::seconds time, std::function<void()> then);

    // Until SIGINT, SIGTERM, the end of the time, that of the driver (its pipes') or stop().
    void run();
    void stop();

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

// The pause after one of `last` in which the fullest ring collected `bytes`; zero: read on at once.
std::chrono::milliseconds next_pause(std::chrono::milliseconds last, std::size_t bytes,
                                     std::size_t ring_bytes);

} // namespace tiercel::app
