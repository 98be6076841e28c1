// SPDX-License-Identifier: Apache-2.0
//
// Escapes text that a process chose: file names, arguments, data. The result cannot control a
// terminal, end a line or leave a JSON string. It is visible, valid UTF-8, and can be reversed.
//
// Text (append_text) keeps printable UTF-8, quotes and backslashes. It writes
//   - C0 control characters, DEL, and bytes that are not valid UTF-8 as "\xHH",
//   - C1 control characters, the characters that change the writing direction, line and paragraph
//     separators and U+FEFF as "\uHHHH",
//   - a backslash as "\x5c" if the characters after it would make it read as one of these.
//
// JSON (append_json) follows RFC 8259. Bytes that are not valid UTF-8 become the text "\xHH", and a
// backslash that would read as that becomes "\x5c"; all other characters are those of the text, and
// the ones above are written as \uHHHH. So a reader that replaces each \xHH has the bytes again.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "analyzer/output/writer.h"

namespace tiercel::output {

using Bytes = std::span<const std::byte>;

void append_text(Buffer& out, std::string_view text);
void append_json(Buffer& out, std::string_view text); // with the quotes
// The same in two steps, for a program that makes JSON otherwise: first each string, then the
// whole.
std::string as_utf8(std::string_view text);
void append_made_json(Buffer& out, std::string_view json);
void append_base64(Buffer& out, Bytes bytes);

bool is_utf8(std::string_view text);

inline void append(Buffer& out, std::string_view plain) {
    out.append(plain.data(), plain.data() + plain.size());
}
inline std::string_view as_chars(Bytes bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

} // namespace tiercel::output
