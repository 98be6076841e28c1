// SPDX-License-Identifier: Apache-2.0
//
// Reads the JSON of container runtimes, whose values may be missing or of any type.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "analyzer/enrich/answer.h"

namespace tiercel::enrich {

// Returns the beginning of a string; empty if the value is none.
inline std::string text_of(const nlohmann::json& value) {
    if (!value.is_string())
        return {};
    return value.get_ref<const std::string&>().substr(0, kMostText);
}

// Returns null for a value that is missing, and for every value within null.
inline const nlohmann::json& at(const nlohmann::json& object, const char* key) {
    static const nlohmann::json kNull;
    const auto found = object.find(key); // end() if `object` is not an object
    return found == object.end() ? kNull : *found;
}

inline std::optional<bool> flag_of(const nlohmann::json& value) {
    return value.is_boolean() ? std::optional(value.get<bool>()) : std::nullopt;
}

} // namespace tiercel::enrich
