// SPDX-License-Identifier: Apache-2.0
#include "analyzer/config/priority.h"

#include <algorithm>
#include <array>

namespace tiercel::config {

namespace {
constexpr std::array<std::string_view, kPriorities> kNames = {
    "Emergency", "Alert", "Critical", "Error", "Warning", "Notice", "Informational", "Debug"};

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
} // namespace

std::string_view priority_name(Priority priority) {
    return kNames[static_cast<std::size_t>(priority)];
}

std::optional<Priority> find_priority(std::string_view name) {
    for (std::size_t i = 0; i < kNames.size() && !name.empty(); ++i) {
        const std::string_view start = kNames[i].substr(0, name.size());
        if (std::equal(start.begin(), start.end(), name.begin(), name.end(),
                       [](char a, char b) { return lower(a) == lower(b); }))
            return static_cast<Priority>(i);
    }
    return std::nullopt;
}

} // namespace tiercel::config
