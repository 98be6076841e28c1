// SPDX-License-Identifier: Apache-2.0
//
// Converter: events of older schemas as the current one has them. What such a capture tells of a
// syscall in its enter event goes into the exit event; old versions of an event become the newest,
// and parameters that did not exist yet have no value.
//
// It works by names: a parameter of the new event is the one of the same name in the old exit
// event, or else in the enter event that the thread left last. So it needs no table of parameters;
// only which event became which, and the few that were renamed.
#pragma once

#include <optional>
#include <vector>

#include "analyzer/state/flat_map.h"
#include "shared/event/view.h"

namespace tiercel::capture {

class Converter {
  public:
    // Whether the event is as the current schema has it, and convert() would give it back: asked
    // first, that spares a copy of nearly every event.
    static bool is_current(const event::EventView& event);
    // The event to go on with: itself when nothing is to be done, or one in the converter's own
    // memory, good until the next call. Nothing for events that are only remembered.
    std::optional<event::EventView> convert(const event::EventView& event);

  private:
    std::optional<event::EventView> rebuild(const event::EventView& old,
                                            const event::EventInfo& target,
                                            const event::EventView* enter);
    std::optional<event::EventView> last_enter(const event::EventView& exit);

    // Threads inside a syscall; as many as can be at once in a capture that makes sense.
    static constexpr std::size_t kMaxPending = 65536;
    state::FlatMap<std::vector<std::byte>> enters_;
    std::vector<std::byte> built_;
};

} // namespace tiercel::capture
