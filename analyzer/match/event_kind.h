// SPDX-License-Identifier: Apache-2.0
//
// Event kinds: a number for each value that evt.type can have. That is the event's code, except
// that each syscall which only has the generic event is a kind of its own. Rules are indexed by it.
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
// The syscall that a generic kind stands for; nullptr for the others.
const event::SyscallInfo* kind_syscall(EventKind kind);
// Whether any event is named so.
bool is_event_type(std::string_view name);

} // namespace tiercel::filter
