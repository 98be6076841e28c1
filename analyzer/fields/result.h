// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "shared/event/view.h"

namespace tiercel::filter {

// Returns the result of a system call: the first parameter of its event in every event but the
// generic one. Returns nothing if the event has no such number.
std::optional<std::int64_t> result_of(const event::EventView& event);

// Whether Falco's drop_failed_exit leaves the event out: its call failed. A connection that is
// still being made (EINPROGRESS) has not failed.
bool is_dropped_as_failed(const event::EventView& event);

} // namespace tiercel::filter
