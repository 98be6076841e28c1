// SPDX-License-Identifier: Apache-2.0
//
// Parameters of events as text: what evt.args, evt.arg and evt.res show.
#pragma once

#include <cstdint>
#include <string>

#include "analyzer/fields/fields.h"

namespace tiercel::filter {

// Appends the value itself to `raw` ("3", "-2", "/etc/passwd") and what it means to `meaning`
// ("<f>/etc/passwd", "ENOENT"), which stays empty where there is nothing to add.
void append_param(const EventContext& event, std::uint32_t index, std::string& raw,
                  std::string& meaning);

// All of them: "fd=3(<f>/etc/passwd) name=/etc/passwd flags=1(O_RDONLY) mode=0". The generic
// event's are for internal use, and not shown.
void append_params(const EventContext& event, std::string& out);

// Bytes as text: what cannot be printed is a dot, quotes and backslashes are escaped.
void append_bytes(std::string& out, event::Bytes bytes);
// Without control characters.
void append_clean(std::string& out, std::string_view text);

} // namespace tiercel::filter
