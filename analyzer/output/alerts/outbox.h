// SPDX-License-Identifier: Apache-2.0
//
// Outbox: a bounded queue before one Sink, and the thread that empties it. Posting never blocks:
// when the sink is stuck and the queue full, lines are discarded and counted, and once there is
// room again a line that says how many is put in their place.
//
// The thread is started with the Outbox: make it before the sandbox, which forbids new threads, and
// put the sandbox on all threads (seccomp's TSYNC).
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "analyzer/output/alerts/sink.h"

namespace tiercel::alerts {

class Outbox {
  public:
    struct Line {
        std::shared_ptr<const std::string> text; // shared by all outboxes
        config::Priority priority = config::Priority::debug;
    };
    struct Counters {
        std::uint64_t waiting = 0; // in the queue
        std::uint64_t written = 0;
        std::uint64_t discarded = 0; // the queue was full
        std::uint64_t failed = 0;    // the sink refused, also to be reopened
        int gone = 0;                // Sink::gone()
    };
    // Makes the line that tells of `count` discarded ones.
    using Warn = std::function<Line(const std::string& sink, std::uint64_t count)>;

    Outbox(std::unique_ptr<Sink> sink, std::size_t capacity, Warn warn);
    ~Outbox(); // what is queued and not taken by then is lost
    Outbox(const Outbox&) = delete;
    Outbox& operator=(const Outbox&) = delete;

    void post(Line line);
    // The thread will reopen the sink before the next line.
    void reopen();
    // Waits until all is written or `deadline` has passed; false: it passed.
    bool drain(std::chrono::milliseconds deadline);
    Counters counters() const;
    std::string name() const { return name_; }

  private:
    struct State;
    std::shared_ptr<State> state_; // shared with the thread, which may be stuck in a write for ever
    std::string name_;
    std::thread thread_;
};

} // namespace tiercel::alerts
