// SPDX-License-Identifier: Apache-2.0
//
// Converter turns events of older schemas into events of the current one. The parameters of an old
// enter event go into the exit event; an old version of an event becomes the newest one; a
// parameter that the old version lacks has no value.
//
// It matches parameters by name: first in the old exit event, then in the thread's last enter
// event. So it needs only a table of successors and a short table of renamed parameters.
#pragma once

#include <optional>
#include <vector>

#include "analyzer/state/flat_map.h"
#include "shared/event/view.h"

namespace tiercel::capture {

class Converter {
  public:
    // Whether convert() would return the event unchanged. Ask this first, because it avoids a copy
    // of nearly every event.
    static bool is_current(const event::EventView& event);
    // Returns the event itself, or a converted one in the converter's memory, valid until the next
    // call. Returns nothing for enter events that are only kept for their exit event.
    std::optional<event::EventView> convert(const event::EventView& event);

  private:
    std::optional<event::EventView> rebuild(const event::EventView& old,
                                            const event::EventInfo& target,
                                            const event::EventView* enter);
    std::optional<event::EventView> last_enter(const event::EventView& exit);

    // The most threads that may be inside a syscall at once.
    static constexpr std::size_t kMaxPending = 65536;
    static constexpr std::size_t kMostBytes = std::size_t{32} << 20; // of the pending enter events
    state::FlatMap<std::vector<std::byte>> enters_;
    std::size_t enter_bytes_ = 0;
    std::vector<std::byte> built_;
};

} // namespace tiercel::capture
