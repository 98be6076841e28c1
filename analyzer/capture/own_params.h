// SPDX-License-Identifier: Apache-2.0
//
// Parameters that readers of captures may not know. A reader refuses a capture whose event has more
// parameters than its own table: libscap 0.23 in sysdig 0.41 ends, and later ones stop there. So an
// event's block has the parameters that all readers know as an event, and the others behind it,
// where readers see padding. The others are those beyond the scap schema, and two of the schema
// that came after libscap 0.23.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "shared/event/view.h"

namespace tiercel::capture {

// Bytes that append_split() may add to an event's own.
inline constexpr std::size_t kSplitHead = sizeof(std::uint32_t) + sizeof(std::uint16_t);

// Appends the event with the parameters that all readers know, and behind it the others, if it has
// any.
void append_split(std::vector<std::byte>& out, const event::EventView& event);

// Joins an event at `at`, and the parameters behind it, to one event again. Leaves `block` as it is
// if there are none, or if they are damaged.
void join_split(std::vector<std::byte>& block, std::size_t at);

} // namespace tiercel::capture
