// SPDX-License-Identifier: Apache-2.0
//
// Event kinds: a number for each value that evt.type can have
//
// The number is the event's code; but each syscall that only has the generic event is a kind of its
// own. Rules are indexed by kind.
#pragma once

#include <cstdint>
#include <string_view>

#include "shared/event/view.h"

namespace tiercel::filter {

using EventKind = std::uint32_t;
// The generic event of a syscall that the table does not know: its evt.type is not known
// beforehand.
inline constexpr EventKind kUnknownKind = event::GENERIC_X;

EventKind kind_count();
EventKind kind_of(const event::EventView& event);
// evt.type of events of that kind; empty for gaps in the codes, enter events and kUnknownKind.
std::string_view kind_name(EventKind kind);
// Returns the syscall of a generic kind; nullptr for other kinds.
const event::SyscallInfo* kind_syscall(EventKind kind);
// Returns true if an event has this name.
bool is_event_type(std::string_view name);

} // namespace tiercel::filter
