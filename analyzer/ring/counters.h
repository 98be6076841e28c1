// SPDX-License-Identifier: Apache-2.0
//
// Counters reads the probe's counters, one line for each CPU, from a map that this process can only
// read. The probe continues to count meanwhile, so the fields of a sum may be of slightly different
// moments.
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
    std::uint64_t events = 0;   // events put into a ring
    std::uint64_t filtered = 0; // events that the kernel filter kept back
    std::array<std::uint64_t, TIERCEL_DROP_REASONS> drops{};

    std::uint64_t dropped() const;
};

// "ring full", "scratch busy" and so on; empty for an unused reason.
std::string_view drop_name(std::size_t reason);

class Counters {
  public:
    static constexpr std::size_t kBytes = sizeof(tiercel_cpu_counters); // of one CPU

    Counters() = default; // has no CPU, so all sums are 0
    // Maps the array behind `fd`: one tiercel_cpu_counters for each of `cpus`. The caller keeps
    // ownership of `fd`.
    static os::Result<Counters> map(const os::UniqueFd& fd, std::uint32_t cpus);

    std::uint32_t cpus() const { return cpus_; }
    CpuCounts of(std::uint32_t cpu) const;
    CpuCounts total() const;

  private:
    os::Mapping mapping_;
    std::uint32_t cpus_ = 0;
};

} // namespace tiercel::ring
