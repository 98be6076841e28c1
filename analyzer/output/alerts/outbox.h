// SPDX-License-Identifier: Apache-2.0
//
// Outbox: a bounded queue in front of one Sink, and the thread that empties it. Posting never
// blocks: if the sink blocks and the queue is full, lines are dropped and counted. As soon as there
// is room again, a line says how many were dropped.
//
// The constructor starts the thread, so call it before the sandbox, which forbids new threads. The
// sandbox must cover all threads (seccomp's TSYNC).
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
        std::uint64_t failed = 0;    // a write or a reopen failed
        int error = 0;               // errno of the last failure; 0: none
        int gone = 0;                // Sink::gone()
    };
    // Makes the line that says that `count` lines were dropped.
    using Warn = std::function<Line(const std::string& sink, std::uint64_t count)>;

    Outbox(std::unique_ptr<Sink> sink, std::size_t capacity, Warn warn);
    ~Outbox(); // lines that are still queued are lost
    Outbox(const Outbox&) = delete;
    Outbox& operator=(const Outbox&) = delete;

    void post(Line line);
    // Asks the thread to reopen the sink before the next line.
    void reopen();
    // Waits until every line is written. Returns false if `deadline` has passed before.
    bool drain(std::chrono::milliseconds deadline);
    Counters counters() const;
    std::string name() const { return name_; }

  private:
    struct State;
    std::shared_ptr<State>
        state_; // shared with the thread, which a blocked write may keep for ever
    std::string name_;
    std::thread thread_;
};

} // namespace tiercel::alerts
