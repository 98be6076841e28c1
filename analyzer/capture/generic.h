// SPDX-License-Identifier: Apache-2.0
//
// The ids of generic events in captures. libscap of 2022 has names for the ids below kOldSyscalls
// only; its sysdig reads behind the end of its table for a higher id, and crashes. So captures have
// id 0, which all readers show as "unknown", and our reader finds the id in the native number
// beside it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace tiercel::capture {

inline constexpr std::uint16_t kOldSyscalls = 329;

// Both change the bytes of a generic event, which EventView::parse() has accepted.
void hide_new_id(std::span<std::byte> event);
// After hide_new_id(), gives back the id, and the native number of this machine.
void restore_new_id(std::span<std::byte> event);

} // namespace tiercel::capture
