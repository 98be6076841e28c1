// SPDX-License-Identifier: Apache-2.0
//
// Printing what an attacker chose: file names, arguments, data. Whatever they hold, the result
// cannot steer a terminal, end a line or break out of a JSON string.
//
// Text (append_text): printable UTF-8 as it is. Backslash as "\\"; newline, tab, carriage return as
// "\n",
// "\t", "\r"; all other control characters (C0, DEL, C1), characters that turn the writing
// direction and line separators as "\x1b" per byte; bytes that are no valid UTF-8 likewise.
// Reversible.
//
// Lines (append_line): the same, but for text that has backslashes of its own already, which stay.
//
// JSON (append_json): RFC 8259. Each byte that is not part of valid UTF-8 becomes U+FFFD, so the
// output is always valid UTF-8; control characters and the direction characters become \u escapes.
// Not reversible where U+FFFD stands; raw data therefore goes through append_base64.
#pragma once

#include <span>
#include <string_view>

#include "analyzer/output/writer.h"

namespace tiercel::output {

using Bytes = std::span<const std::byte>;

void append_text(Buffer& out, std::string_view text);
void append_line(Buffer& out, std::string_view text);
void append_json(Buffer& out, std::string_view text); // with the quotes
void append_base64(Buffer& out, Bytes bytes);

bool is_utf8(std::string_view text);

inline void append(Buffer& out, std::string_view plain) {
    out.append(plain.data(), plain.data() + plain.size());
}
inline std::string_view as_chars(Bytes bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

} // namespace tiercel::output
