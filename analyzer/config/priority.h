// SPDX-License-Identifier: Apache-2.0
//
// Priority: how severe an alert is.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace tiercel::config {

// The most severe first, as syslog numbers them.
enum class Priority : std::uint8_t {
    emergency,
    alert,
    critical,
    error,
    warning,
    notice,
    informational,
    debug,
};
inline constexpr std::size_t kPriorities = 8;
std::string_view priority_name(Priority priority); // "Critical"
// In any case, and shortened at will: "INFO".
std::optional<Priority> find_priority(std::string_view name);

} // namespace tiercel::config
