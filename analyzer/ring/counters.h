// SPDX-License-Identifier: Apache-2.0
//
// Counters: what the probe has counted, one line a CPU, in a map that this process can only read.
// The probe goes on counting while they are read: sums are of one moment per field, not of one
// moment in all.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "kernel/common/abi.h"
#include "shared/os/mapping.h"
#include "shared/os/unique_fd.h"

namespace tiercel::ring {

struct CpuCounts {
    std::uint64_t events = 0; // put into a ring
    std::array<std::uint64_t, TIERCEL_DROP_REASONS> drops{};

    std::uint64_t dropped() const;
};

// "ring full", "scratch busy"...; empty for a reason that has no meaning yet.
std::string_view drop_name(std::size_t reason);

class Counters {
  public:
    Counters() = default; // of no CPU
    // Maps the array behind `fd`: one tiercel_cpu_counters for each of `cpus`. The fd stays the
    // caller's.
    static os::Result<Counters> map(const os::UniqueFd& fd, std::uint32_t cpus);

    std::uint32_t cpus() const { return cpus_; }
    CpuCounts of(std::uint32_t cpu) const;
    CpuCounts total() const;

  private:
    os::Mapping mapping_;
    std::uint32_t cpus_ = 0;
};

} // namespace tiercel::ring
