// SPDX-License-Identifier: Apache-2.0
//
// The lists that a capture begins with: what ran, what was open, who the users were.
#pragma once

#include <cstdint>
#include <span>

#include "analyzer/state/engine.h"

namespace tiercel::capture {

struct MachineInfo {
    std::uint32_t cpus = 0;
    std::uint64_t memory_bytes = 0;
    std::uint64_t max_pid = 0;
    char hostname[129] = {};
    std::uint64_t boot_ns = 0; // since the epoch; 0: the capture does not say
};

// Each takes one block's content. False: it is damaged; what came before the damage is kept.
bool read_machine_info(std::span<const std::byte> block, MachineInfo& machine);
bool read_process_list(std::uint32_t type, std::span<const std::byte> block, state::Engine& state);
bool read_fd_list(std::uint32_t type, std::span<const std::byte> block, state::Engine& state);
bool read_user_list(std::uint32_t type, std::span<const std::byte> block, state::Engine& state);

} // namespace tiercel::capture
