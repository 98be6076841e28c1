// SPDX-License-Identifier: Apache-2.0
//
// Escapes text that a process, a file or another machine chose: names, arguments, data. The result
// cannot control a terminal, end a line, hide or leave a JSON string. It is visible, valid UTF-8,
// and can be reversed. Every output of the analyzer and the courier is escaped by these functions.
//
// Text (append_text) keeps printable UTF-8, quotes and backslashes. It writes
//   - C0 control characters, DEL, and bytes that are not valid UTF-8 as "\xHH",
//   - C1 control characters, and the characters that change the writing direction, separate lines
//   or
//     are not visible (Unicode's Default_Ignorable_Code_Point), as "\uHHHH", or "\UHHHHHHHH" above
//     U+FFFF,
//   - a backslash as "\x5c" if the characters after it would make it read as one of these.
//
// JSON (append_json) follows RFC 8259. Bytes that are not valid UTF-8 become the text "\xHH", and a
// backslash that would read as that becomes "\x5c"; all other characters are those of the text, and
// the ones above are written as \uHHHH. So a reader that replaces each \xHH has the bytes again.
#pragma once

#include <fmt/format.h>

#include <span>
#include <string>
#include <string_view>

namespace tiercel::escape {

using Buffer = fmt::basic_memory_buffer<char, 1024>; // that of output/writer.h
using Bytes = std::span<const std::byte>;

// `Out` is std::string or Buffer.
template <typename Out>
void append_text(Out& out, std::string_view text);
template <typename Out>
void append_json(Out& out, std::string_view text); // with the quotes

extern template void append_text(std::string&, std::string_view);
extern template void append_text(Buffer&, std::string_view);
extern template void append_json(std::string&, std::string_view);
extern template void append_json(Buffer&, std::string_view);

// Returns what append_text() appends; of a longer text the first `most` bytes, without a part of a
// character or an escape at the end.
std::string as_text(std::string_view text, std::size_t most = std::string::npos);

// append_json() in two steps, for a program that makes JSON otherwise: first each string, then the
// whole.
std::string as_utf8(std::string_view text);
void append_made_json(Buffer& out, std::string_view json);

template <typename Out>
void append_base64(Out& out, Bytes bytes); // with padding
extern template void append_base64(std::string&, Bytes);
extern template void append_base64(Buffer&, Bytes);

bool is_utf8(std::string_view text);

} // namespace tiercel::escape
