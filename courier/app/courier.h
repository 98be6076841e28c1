// SPDX-License-Identifier: Apache-2.0
//
// Courier: the running program: intake, spool, and a pump for each destination.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "courier/app/own_alerts.h"
#include "courier/delivery/pump.h"
#include "courier/intake/intake.h"

namespace tiercel::courier {

class Courier {
  public:
    // Makes the destinations, which may fork, and opens the spool. Nothing connects yet. Returns
    // false after printing what is wrong.
    bool open(const Config& config);
    // Starts a thread for each destination, and serves until SIGTERM or SIGINT. Returns false if a
    // receiver still blocks its thread at the end, so that the process must end at once.
    bool run(os::UniqueFd listener, uid_t served);

  private:
    struct Waiting {
        std::string name;
        std::unique_ptr<Destination> destination;
    };

    void look_after(Intake& intake);
    // Runs in a thread of its own, because a disk may take long.
    void synchronise_each_second(const std::atomic<bool>& end);
    void say_alive(const Intake& intake);
    void say_dropped();
    void say_own();
    std::vector<wire::courier::State> states() const;
    void print_states() const;

    OwnAlerts own_;
    Notices notices_;
    std::unique_ptr<Spool> spool_;
    std::vector<Waiting> waiting_; // until run()
    std::vector<std::unique_ptr<Pump>> pumps_;
    std::vector<std::uint64_t> said_dropped_;
    Backoff backoff_{std::chrono::seconds(1), std::chrono::seconds(30)};
    std::uint64_t heartbeat_seconds_ = 0;
    std::uint64_t next_heartbeat_ = 0;
    std::uint64_t next_dropped_ = 0;
    std::uint64_t looked_ = 0; // when look_after() was called last, in seconds
};

} // namespace tiercel::courier
