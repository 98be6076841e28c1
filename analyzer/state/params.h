// SPDX-License-Identifier: Apache-2.0
//
// Helpers that copy event parameters into members of the state.
#pragma once

#include <cstdint>
#include <string_view>

#include "shared/event/view.h"

namespace tiercel::state {

inline std::string_view bytes_text(event::Bytes bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Leaves `out` unchanged if parameter `index` is no number of type T.
template <typename T, typename Out>
void take(const event::EventView& event, std::uint32_t index, Out& out) {
    if (const auto value = event.number<T>(index))
        out = static_cast<Out>(*value);
}

} // namespace tiercel::state
