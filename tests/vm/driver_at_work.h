// SPDX-License-Identifier: Apache-2.0
//
// DriverAtWork: one kernel driver that captures lseek(2), of every process but this one, from its
// construction to its destruction. For what is measured in test machines (driver_cost,
// driver_loss): whatever does not work ends the program, with exit code 1 and a line that says
// what.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "analyzer/ring/counters.h"
#include "analyzer/ring/ring_set.h"
#include "shared/wire/client.h"
#include "tests/bench/clock.h"

namespace tiercel::vm {

[[noreturn]] void give_up(const std::string& what);
using bench::now_ns;
using bench::pin_to_cpu;

class DriverAtWork {
  public:
    // `name` as privd's --driver has it; privd is found in PATH. Each CPU has a ring of
    // `ring_bytes`.
    DriverAtWork(const std::string& name, std::uint32_t ring_bytes);

    [[nodiscard]] const std::string& name() const { return name_; }
    void drain(); // until no ring has anything
    [[nodiscard]] ring::CpuCounts totals() const { return counters_->total(); }
    // For waiting: each becomes readable when the driver wakes its readers.
    [[nodiscard]] std::span<const os::UniqueFd> rings() const { return session_.rings; }

  private:
    std::string name_;
    wire::client::Session session_;
    std::optional<ring::RingSet> rings_;
    std::optional<ring::Counters> counters_;
};

} // namespace tiercel::vm
