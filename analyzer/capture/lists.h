// SPDX-License-Identifier: Apache-2.0
//
// Reads and writes the lists at the start of a capture: processes, open files, users, interfaces.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "analyzer/capture/block_writer.h"
#include "analyzer/state/state_tracker.h"

namespace tiercel::capture {

struct Interface {
    std::string name;
    bool ipv6 = false;
    state::Address address{}, netmask{}, broadcast{};
};

struct MachineInfo {
    std::uint32_t cpus = 0;
    std::uint64_t memory_bytes = 0;
    std::uint64_t max_pid = 0;
    char hostname[129] = {};
    std::uint64_t boot_ns = 0; // since the epoch; 0 if the capture does not have it
    std::vector<Interface> interfaces;
};

// Each reader takes the content of one block. Returns false if it is damaged, and keeps the entries
// before the damage.
bool read_machine_info(std::span<const std::byte> block, MachineInfo& machine);
bool read_process_list(std::uint32_t type, std::span<const std::byte> block,
                       state::StateTracker& state);
bool read_fd_list(std::uint32_t type, std::span<const std::byte> block, state::StateTracker& state);
bool read_user_list(std::uint32_t type, std::span<const std::byte> block,
                    state::StateTracker& state);
bool read_interface_list(std::uint32_t type, std::span<const std::byte> block,
                         std::vector<Interface>& interfaces);

// Each writer appends whole blocks of the newest type. Texts are cut to the lengths that libscap's
// reader accepts.
void write_section_header(BlockWriter& out);
void write_machine_info(BlockWriter& out, const MachineInfo& machine);
void write_interface_list(BlockWriter& out, const std::vector<Interface>& interfaces);
void write_user_list(BlockWriter& out, const state::Users& users);
// Leaves placeholders out.
void write_process_list(BlockWriter& out, const state::StateTracker& state);
// Writes one block for each process, or several if it has many fds.
void write_fd_lists(BlockWriter& out, const state::StateTracker& state);

} // namespace tiercel::capture
