// SPDX-License-Identifier: Apache-2.0
//
// Pump: the thread that carries records from the spool to one destination, in order. A record is
// sent until its receiver has acknowledged it; between attempts the pump pauses, longer each time.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>

#include "courier/delivery/destination.h"
#include "courier/delivery/notices.h"
#include "courier/spool/spool.h"

namespace tiercel::courier {

// Pauses between attempts: each is twice as long as the one before, up to the longest; from half to
// the whole of that at random, so that many hosts do not try again all at once.
class Backoff {
  public:
    using Pause = std::chrono::milliseconds;
    Backoff(Pause first, Pause longest);
    Pause next();
    void reset() { pause_ = first_; }

  private:
    Pause first_, longest_, pause_;
    std::minstd_rand random_;
};

class Pump {
  public:
    struct State {
        std::uint64_t sent = 0;    // alerts that the receiver has acknowledged
        std::uint64_t failed = 0;  // alerts that the receiver refused for good
        std::uint64_t retried = 0; // attempts that failed
        bool connected = false;    // the last attempt succeeded
    };

    // Starts the thread for the spool's destination `number`. Spool and notices must outlive it.
    Pump(Spool& spool, std::size_t number, std::string name,
         std::unique_ptr<Destination> destination, Backoff backoff, Notices& notices);
    // Asks the thread to end after the attempt that it is making.
    void stop();
    // Waits for that until `end`. Returns false if the receiver still blocks the attempt; the
    // process must then end without destructors.
    bool wait(std::chrono::steady_clock::time_point end);

    State state() const;
    const std::string& name() const { return name_; }

  private:
    void run();
    // Sends the records, once. Returns false if a pause is needed.
    bool attempt(std::span<const Record> records);
    void pass(std::span<const Record> records);
    void succeeded();
    void failed(const std::string& error);
    void refused(const Record& record, const std::string& error);

    Spool& spool_;
    std::size_t number_;
    std::string name_;
    std::unique_ptr<Destination> destination_;
    Backoff backoff_;
    Notices& notices_;
    std::size_t at_once_ = 0; // the most records of the next attempt
    bool gone_ = false;       // the last attempt failed

    std::atomic<std::uint64_t> sent_ = 0, failed_ = 0, retried_ = 0;
    std::atomic<bool> connected_ = false;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool stop_ = false;
    bool ended_ = false;
    std::thread thread_;
};

} // namespace tiercel::courier
