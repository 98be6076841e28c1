// SPDX-License-Identifier: Apache-2.0
//
// Writer writes captures that our reader, Falco and sysdig open. A capture begins with the state,
// which readers need to understand the events that follow.
#pragma once

#include <cstdint>
#include <vector>

#include "analyzer/capture/lists.h"
#include "analyzer/capture/packer.h"
#include "analyzer/state/state_tracker.h"
#include "shared/event/view.h"

namespace tiercel::capture {

// Appends the blocks before the events: section header, machine, interfaces, users, processes, fds.
// `state` must be settled and must not have applied the first event yet.
void append_head(std::vector<std::byte>& out, const MachineInfo& machine,
                 const state::StateTracker& state);
void append_event(std::vector<std::byte>& out, const event::EventView& event, std::uint16_t cpu);

class Writer {
  public:
    // The capture begins at the file position of `fd`. The caller keeps ownership of `fd`.
    Writer(int fd, Packing packing) : packer_(fd, packing) {}

    os::Result<void> begin(const MachineInfo& machine, const state::StateTracker& state);
    os::Result<void> add(const event::EventView& event, std::uint16_t cpu);
    // Adds blocks that append_head() and append_event() have made.
    os::Result<void> add_blocks(std::span<const std::byte> blocks) { return packer_.write(blocks); }
    os::Result<void> flush() { return packer_.flush(); }
    os::Result<void> finish() { return packer_.finish(); }
    // Bytes written to the file so far.
    std::uint64_t size() const { return packer_.written(); }

  private:
    Packer packer_;
    std::vector<std::byte> block_;
};

} // namespace tiercel::capture
