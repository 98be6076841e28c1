// SPDX-License-Identifier: Apache-2.0
//
// The keys of JSON alerts and events by name, made from json_keys.def:
//
//   json[alert_key::priority]        append_json(out, event_key::fd_name)
#pragma once

#include <string_view>

namespace tiercel::output {

namespace alert_key {
#define ALERT_KEY(symbol, key, type, meaning, toggle)                                              \
    inline constexpr std::string_view symbol = key;
#define EVENT_KEY(symbol, key, type, meaning, presence)
#include "analyzer/output/json_keys.def"
#undef ALERT_KEY
#undef EVENT_KEY
} // namespace alert_key

namespace event_key {
#define ALERT_KEY(symbol, key, type, meaning, toggle)
#define EVENT_KEY(symbol, key, type, meaning, presence)                                            \
    inline constexpr std::string_view symbol = key;
#include "analyzer/output/json_keys.def"
#undef ALERT_KEY
#undef EVENT_KEY
} // namespace event_key

} // namespace tiercel::output
