// SPDX-License-Identifier: Apache-2.0
//
// Outbox: a bounded queue in front of one Sink, and the thread that empties it. Posting never
// blocks: if the sink blocks or fails and the queue is full, lines are dropped and counted. A line
// that the sink fails to write stays in the queue, and is tried again each second. As soon as there
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
    using LinePointer = std::shared_ptr<const Line>; // shared by all outboxes
    struct Counters {
        std::uint64_t waiting = 0;   // in the queue, or not yet confirmed
        std::uint64_t written = 0;   // and confirmed, if the receiver confirms
        std::uint64_t discarded = 0; // the queue was full
        std::uint64_t failed = 0;    // lines that are lost, reopens that failed
        std::uint64_t retried = 0;   // attempts that failed and are made again
        int error = 0;               // errno of the last failure; 0: none
        int failing = 0;             // errno of the last attempt, while lines wait for the next one
        int away = 0;                // Sink::confirm(), while nothing waits to be written
        int gone = 0;                // Sink::gone()
    };
    // Makes the line that says that `count` lines were dropped.
    using Warn = std::function<LinePointer(const std::string& sink, std::uint64_t count)>;

    Outbox(std::unique_ptr<Sink> sink, std::size_t capacity, Warn warn);
    ~Outbox(); // lines that are still queued are lost
    Outbox(const Outbox&) = delete;
    Outbox& operator=(const Outbox&) = delete;

    void post(LinePointer line);
    // Asks the thread to reopen the sink before the next line.
    void reopen();
    // Waits until every line is written and confirmed. Returns false if `deadline` has passed
    // before.
    bool drain(std::chrono::milliseconds deadline);
    Counters counters() const;
    std::string name() const { return name_; }
    bool wants_json() const { return wants_json_; }
    std::vector<wire::courier::State> destinations() const;
    void set_rules(const wire::courier::Sha256& sum);

  private:
    struct State;
    std::shared_ptr<State>
        state_; // shared with the thread, which a blocked write may keep for ever
    std::string name_;
    bool wants_json_;
    std::thread thread_;
};

} // namespace tiercel::alerts
