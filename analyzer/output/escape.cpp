// SPDX-License-Identifier: Apache-2.0
//
// Implements the escapes of escape.h and UTF-8 validation.
#include "analyzer/output/escape.h"

#include <algorithm>
#include <cctype>
#include <cstdint>

#include "analyzer/match/transforms.h"

namespace tiercel::output {

namespace {

struct Decoded {
    char32_t code = 0;
    std::size_t bytes = 0; // 0 if no valid UTF-8 starts here
};

// Decodes by RFC 3629: only the shortest form, no surrogates, nothing above U+10FFFF.
Decoded decode(std::string_view text) {
    const auto at = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
    const std::uint8_t lead = at(0);
    if (lead < 0x80)
        return {lead, 1};
    const std::size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || text.size() < bytes)
        return {};
    char32_t code = lead & (0x7fU >> bytes);
    for (std::size_t i = 1; i < bytes; ++i) {
        if ((at(i) & 0xc0) != 0x80)
            return {};
        code = (code << 6) | (at(i) & 0x3fU);
    }
    const bool overlong = (bytes == 3 && code < 0x800) || (bytes == 4 && code < 0x10000);
    if (overlong || (code >= 0xd800 && code < 0xe000) || code > 0x10ffff)
        return {};
    return {code, bytes};
}

// Whether the character controls a terminal, or reorders or hides the text around it.
bool steers(char32_t code) {
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x061c ||
           (code >= 0x200b && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
           (code >= 0x2060 && code <= 0x2069) || code == 0xfeff;
}

void append_hex(Buffer& out, std::uint8_t byte) {
    static constexpr char kDigits[] = "0123456789abcdef";
    const char escaped[] = {'\\', 'x', kDigits[byte >> 4], kDigits[byte & 15]};
    out.append(escaped, escaped + sizeof escaped);
}

void append_unicode(Buffer& out, char32_t code) {
    fmt::format_to(fmt::appender(out), "\\u{:04x}", static_cast<std::uint32_t>(code));
}

// Whether `text` begins with `mark` and `digits` hexadecimal digits.
bool begins_escape(std::string_view text, char mark, std::size_t digits) {
    return text.size() > digits && text[0] == mark &&
           std::ranges::all_of(text.substr(1, digits),
                               [](unsigned char c) { return std::isxdigit(c) != 0; });
}

// Whether a backslash before `rest` reads as an escape of text.
bool reads_as_escape(std::string_view rest) {
    return begins_escape(rest, 'x', 2) || begins_escape(rest, 'u', 4);
}

constexpr bool is_plain(char c) {
    return c >= 0x20 && c < 0x7f && c != '\\' && c != '"';
}

// The number of characters at the start that need no escape in text or JSON.
std::size_t plain_run(std::string_view text) {
    return static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_plain) -
                                    text.begin());
}

void append_json_escape(Buffer& out, char32_t code) {
    switch (code) {
    case '"': return append(out, "\\\"");
    case '\\': return append(out, "\\\\");
    case '\n': return append(out, "\\n");
    case '\t': return append(out, "\\t");
    case '\r': return append(out, "\\r");
    default: append_unicode(out, code);
    }
}

// Appends plain runs unchanged. Calls append_other(decoded, raw, rest) for each other character;
// `rest` is the text after it.
template <typename AppendOther>
void append_runs(Buffer& out, std::string_view text, AppendOther append_other) {
    while (!text.empty()) {
        std::size_t step = plain_run(text);
        if (step > 0) {
            append(out, text.substr(0, step));
        } else {
            const Decoded next = decode(text);
            step = std::max<std::size_t>(next.bytes, 1);
            append_other(next, text.substr(0, step), text.substr(step));
        }
        text.remove_prefix(step);
    }
}

} // namespace

void append_text(Buffer& out, std::string_view text) {
    append_runs(out, text, [&](const Decoded& next, std::string_view raw, std::string_view rest) {
        if (next.bytes <= 1 && (next.bytes == 0 || steers(next.code)))
            append_hex(out, static_cast<std::uint8_t>(raw[0]));
        else if (steers(next.code))
            append_unicode(out, next.code);
        else if (next.code == '\\' && reads_as_escape(rest))
            append_hex(out, '\\');
        else
            append(out, raw);
    });
}

void append_json(Buffer& out, std::string_view text) {
    out.push_back('"');
    append_runs(out, text, [&](const Decoded& next, std::string_view raw, std::string_view rest) {
        if (next.bytes == 0 || (next.code == '\\' && begins_escape(rest, 'x', 2))) {
            out.push_back('\\'); // the JSON escape of the backslash of "\xHH"
            append_hex(out, static_cast<std::uint8_t>(raw[0]));
        } else if (steers(next.code) || next.code == '"' || next.code == '\\') {
            append_json_escape(out, next.code);
        } else {
            append(out, raw);
        }
    });
    out.push_back('"');
}

std::string as_utf8(std::string_view text) {
    Buffer out;
    append_runs(out, text, [&](const Decoded& next, std::string_view raw, std::string_view rest) {
        if (next.bytes == 0 || (next.code == '\\' && begins_escape(rest, 'x', 2)))
            append_hex(out, static_cast<std::uint8_t>(raw[0]));
        else
            append(out, raw);
    });
    return fmt::to_string(out);
}

void append_made_json(Buffer& out, std::string_view json) {
    append_runs(out, json, [&](const Decoded& next, std::string_view raw, std::string_view) {
        if (next.bytes > 0 && steers(next.code))
            append_unicode(out, next.code);
        else
            append(out, raw);
    });
}

void append_base64(Buffer& out, Bytes bytes) {
    std::string text;
    filter::append_base64({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, text);
    append(out, text);
}

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const std::size_t plain = plain_run(text);
        const std::size_t step = plain > 0 ? plain : decode(text).bytes;
        if (step == 0)
            return false;
        text.remove_prefix(step);
    }
    return true;
}

} // namespace tiercel::output
