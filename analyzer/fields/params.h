// SPDX-License-Identifier: Apache-2.0
//
// Parameters of events as text, for evt.args and evt.arg.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>

#include "analyzer/fields/fields.h"

namespace tiercel::filter {

// Appends the value itself to `raw` ("3", "-2", "/etc/passwd") and its meaning, if it has one, to
// `meaning` ("<f>/etc/passwd", "ENOENT").
void append_param(const EventContext& event, std::uint32_t index, std::string& raw,
                  std::string& meaning);

// Appends all parameters: "fd=3(<f>/etc/passwd) name=/etc/passwd flags=1(O_RDONLY) mode=0". Appends
// nothing for the generic event, because its parameters are internal.
void append_params(const EventContext& event, std::string& out);

// Calls `visit(fd, flags)` for each entry of an FDLIST parameter: a 16-bit count, then a 64-bit fd
// and 16-bit flags for each.
template <typename Visit>
void for_each_listed_fd(event::Bytes list, Visit&& visit) {
    std::uint16_t count = 0;
    std::int64_t fd = 0;
    std::uint16_t flags = 0;
    if (list.size() < sizeof count)
        return;
    std::memcpy(&count, list.data(), sizeof count);
    list = list.subspan(sizeof count);
    for (; count > 0 && list.size() >= sizeof fd + sizeof flags; --count) {
        std::memcpy(&fd, list.data(), sizeof fd);
        std::memcpy(&flags, list.data() + sizeof fd, sizeof flags);
        visit(fd, flags);
        list = list.subspan(sizeof fd + sizeof flags);
    }
}

// Appends bytes in Base64, or as text with a dot for each byte that cannot be printed.
void append_bytes(std::string& out, event::Bytes bytes, bool base64);

} // namespace tiercel::filter
