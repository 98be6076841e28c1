// SPDX-License-Identifier: Apache-2.0
//
// Writer: a capture that our reader, Falco and sysdig open. It begins with the state as it is, so
// that the events after it can be understood; then the events, as they lie in the ring.
#pragma once

#include <cstdint>
#include <vector>

#include "analyzer/capture/lists.h"
#include "analyzer/capture/packer.h"
#include "analyzer/state/state_tracker.h"
#include "shared/event/view.h"

namespace tiercel::capture {

// What stands before the events: section header, machine, interfaces, users, processes, fds.
// `state` must be settled, and not know the first event yet.
void append_head(std::vector<std::byte>& out, const MachineInfo& machine,
                 const state::StateTracker& state);
void append_event(std::vector<std::byte>& out, const event::EventView& event, std::uint16_t cpu);

class Writer {
  public:
    // `fd` is lent, and is at the place where the capture is to begin.
    Writer(int fd, Packing packing) : packer_(fd, packing) {}

    os::Result<void> begin(const MachineInfo& machine, const state::StateTracker& state);
    os::Result<void> add(const event::EventView& event, std::uint16_t cpu);
    // Blocks that were made before, by the functions above.
    os::Result<void> add_blocks(std::span<const std::byte> blocks) { return packer_.write(blocks); }
    os::Result<void> flush() { return packer_.flush(); }
    os::Result<void> finish() { return packer_.finish(); }
    // Bytes that the file has.
    std::uint64_t size() const { return packer_.written(); }

  private:
    Packer packer_;
    std::vector<std::byte> block_;
};

} // namespace tiercel::capture
