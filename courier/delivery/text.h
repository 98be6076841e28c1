// SPDX-License-Identifier: Apache-2.0
//
// The texts that several destinations make of a record's header.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "courier/spool/record.h"

namespace tiercel::courier {

// Returns two hexadecimal digits for each byte.
std::string hex(std::span<const std::uint8_t> bytes);

// Returns the alert's id, "HOST/BOOT/SEQUENCE". A receiver that sees an id twice has a duplicate.
std::string id_of(const Record& record);

// Returns the id as 32 hexadecimal digits, for receivers that limit ids to letters and digits.
std::string short_id_of(const Record& record);

// Returns "Critical", …
std::string_view priority_of(const Record& record);

// Returns "2026-01-02T03:04:05.123456Z".
std::string iso_time(std::uint64_t time_ns);

} // namespace tiercel::courier
