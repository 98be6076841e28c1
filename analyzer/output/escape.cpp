// SPDX-License-Identifier: Apache-2.0
#include "analyzer/output/escape.h"

#include <algorithm>
#include <cstdint>

namespace tiercel::output {

namespace {

struct Decoded {
    char32_t code = 0;
    std::size_t bytes = 0; // 0: no valid UTF-8 starts here
};

// RFC 3629: shortest form only, no surrogates, nothing above U+10FFFF.
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

// Control characters, and those that reorder or break what stands around them.
bool steers(char32_t code) {
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x061c ||
           (code >= 0x200e && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
           (code >= 0x2066 && code <= 0x2069);
}

void append_hex(Buffer& out, std::uint8_t byte) {
    static constexpr char kDigits[] = "0123456789abcdef";
    const char escaped[] = {'\\', 'x', kDigits[byte >> 4], kDigits[byte & 15]};
    out.append(escaped, escaped + sizeof escaped);
}

// The escape that one byte has in text.
void append_escaped(Buffer& out, char byte) {
    switch (byte) {
    case '\n': return append(out, "\\n");
    case '\t': return append(out, "\\t");
    case '\r': return append(out, "\\r");
    case '\\': return append(out, "\\\\");
    default: return append_hex(out, static_cast<std::uint8_t>(byte));
    }
}

constexpr bool is_plain(char c) {
    return c >= 0x20 && c < 0x7f && c != '\\' && c != '"';
}

// How many characters at the start need no look at all, in text or in JSON.
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
    default: fmt::format_to(fmt::appender(out), "\\u{:04x}", static_cast<std::uint32_t>(code));
    }
}

// Printable text as it is; of what may need escaping, `append_other` gets the character (no bytes:
// it is no UTF-8) and what it is in the text.
template <typename AppendOther>
void append_runs(Buffer& out, std::string_view text, AppendOther append_other) {
    while (!text.empty()) {
        std::size_t step = plain_run(text);
        if (step > 0) {
            append(out, text.substr(0, step));
        } else {
            const Decoded next = decode(text);
            step = std::max<std::size_t>(next.bytes, 1);
            append_other(next, text.substr(0, step));
        }
        text.remove_prefix(step);
    }
}

// What steers, what is no UTF-8 and `also` escaped byte by byte.
void append_escaping(Buffer& out, std::string_view text, char32_t also) {
    append_runs(out, text, [&](const Decoded& next, std::string_view raw) {
        if (next.bytes != 0 && !steers(next.code) && next.code != also)
            return append(out, raw);
        for (const char byte : raw)
            append_escaped(out, byte);
    });
}

} // namespace

void append_text(Buffer& out, std::string_view text) {
    append_escaping(out, text, '\\');
}

void append_line(Buffer& out, std::string_view text) {
    append_escaping(out, text, '\n');
}

void append_json(Buffer& out, std::string_view text) {
    out.push_back('"');
    append_runs(out, text, [&](const Decoded& next, std::string_view raw) {
        if (next.bytes == 0)
            append(out, "\xef\xbf\xbd");
        else if (steers(next.code) || next.code == '"' || next.code == '\\')
            append_json_escape(out, next.code);
        else
            append(out, raw);
    });
    out.push_back('"');
}

void append_base64(Buffer& out, Bytes bytes) {
    static constexpr char kDigits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (std::size_t at = 0; at < bytes.size(); at += 3) {
        const std::size_t have = std::min<std::size_t>(3, bytes.size() - at);
        std::uint32_t group = 0;
        for (std::size_t i = 0; i < 3; ++i)
            group = (group << 8) | (i < have ? std::to_integer<std::uint32_t>(bytes[at + i]) : 0);
        for (std::size_t i = 0; i < 4; ++i)
            out.push_back(i <= have ? kDigits[(group >> (18 - 6 * i)) & 63] : '=');
    }
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
