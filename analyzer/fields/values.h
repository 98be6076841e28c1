// SPDX-License-Identifier: Apache-2.0
//
// How extractors give their answers.
#pragma once

#include <cstdint>
#include <string_view>

#include "analyzer/fields/fields.h"

namespace tiercel::filter {

inline Values no_value() {
    return {};
}
inline Values one(const Value& single) {
    return {true, &single, 1};
}
inline Values text_value(Value& single, std::string_view text) {
    single.text = text;
    return one(single);
}
inline Values number_value(Value& single, std::int64_t number) {
    single.number = number;
    return one(single);
}
inline Values unsigned_value(Value& single, std::uint64_t number) {
    return number_value(single, static_cast<std::int64_t>(number));
}
inline Values bool_value(Value& single, bool truth) {
    return number_value(single, truth ? 1 : 0);
}

// The tables of the classes.
std::span<const FieldInfo> event_fields();
std::span<const FieldInfo> time_fields();
std::span<const FieldInfo> process_fields();
std::span<const FieldInfo> lineage_fields();
std::span<const FieldInfo> thread_fields();
std::span<const FieldInfo> fd_fields();
std::span<const FieldInfo> fd_peer_fields();
std::span<const FieldInfo> path_fields();
std::span<const FieldInfo> user_fields();
std::span<const FieldInfo> group_fields();
std::span<const FieldInfo> container_fields();

} // namespace tiercel::filter
