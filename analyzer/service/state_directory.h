// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>

namespace tiercel::app {

// Returns the directory of $STATE_DIRECTORY (systemd.exec(5): paths with colons between them) whose
// path ends in `end`; an empty text if there is none.
inline std::string state_directory(std::string_view end) {
    const char* given = std::getenv("STATE_DIRECTORY");
    std::string_view rest = given != nullptr ? given : "";
    while (!rest.empty()) {
        const std::string_view one = rest.substr(0, rest.find(':'));
        if (one.ends_with(end))
            return std::string(one);
        rest.remove_prefix(std::min(rest.size(), one.size() + 1));
    }
    return {};
}

} // namespace tiercel::app
