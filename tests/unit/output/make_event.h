// SPDX-License-Identifier: Apache-2.0
//
// Events put together by hand, in the layout that the probe gives them.
#pragma once

#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "shared/event/view.h"

namespace tiercel::test {

using Values = std::vector<std::string>;

template <typename T>
std::string raw(T value) {
    return {reinterpret_cast<const char*>(&value), sizeof value};
}
inline std::string text(std::string_view chars) {
    return std::string(chars) + '\0';
}

// The bytes of an event; keep them while a view of it is in use.
inline std::vector<std::byte> make_event(std::uint16_t code, const Values& values,
                                         std::uint64_t ts = 1, std::uint64_t tid = 100) {
    std::string lengths, data;
    for (const std::string& value : values) {
        lengths += raw(static_cast<std::uint16_t>(value.size()));
        data += value;
    }
    event::Header header{};
    header.ts = ts;
    header.tid = tid;
    header.len = static_cast<std::uint32_t>(sizeof header + lengths.size() + data.size());
    header.type = code;
    header.nparams = static_cast<std::uint32_t>(values.size());
    const std::string all = raw(header) + lengths + data;
    const auto* bytes = reinterpret_cast<const std::byte*>(all.data());
    return {bytes, bytes + all.size()};
}

} // namespace tiercel::test
