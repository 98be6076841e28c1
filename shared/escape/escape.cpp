// SPDX-License-Identifier: Apache-2.0
//
// Implements the escapes of escape.h, UTF-8 validation and base64.
#include "shared/escape/escape.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <iterator>

namespace tiercel::escape {

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

struct Range {
    char32_t first, last;
};

// The characters that control a terminal, change the writing direction, or are not visible: the
// categories Cc, Zl and Zp, the Default_Ignorable_Code_Points of Unicode 15
// (DerivedCoreProperties), and the interlinear annotations and noncharacters of the same block.
constexpr Range kSteering[] = {
    {0x00, 0x1f},     {0x7f, 0x9f},     {0xad, 0xad},       {0x034f, 0x034f},   {0x061c, 0x061c},
    {0x115f, 0x1160}, {0x17b4, 0x17b5}, {0x180b, 0x180f},   {0x200b, 0x200f},   {0x2028, 0x202e},
    {0x2060, 0x206f}, {0x3164, 0x3164}, {0xfe00, 0xfe0f},   {0xfeff, 0xfeff},   {0xffa0, 0xffa0},
    {0xfff0, 0xfffb}, {0xfffe, 0xffff}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
};

bool steers(char32_t code) {
    const auto* found = std::ranges::lower_bound(kSteering, code, {}, &Range::last);
    return found != std::end(kSteering) && code >= found->first;
}

// Appends in the one way that both std::string and fmt's buffer have.
template <typename Out>
void append(Out& out, std::string_view plain) {
    out.append(plain.data(), plain.data() + plain.size());
}

template <typename Out>
void append_hex(Out& out, std::uint8_t byte) {
    static constexpr char kDigits[] = "0123456789abcdef";
    const char escaped[] = {'\\', 'x', kDigits[byte >> 4], kDigits[byte & 15]};
    append(out, {escaped, sizeof escaped});
}

template <typename Out>
void append_unicode(Out& out, char32_t code) {
    const auto number = static_cast<std::uint32_t>(code);
    if (number < 0x10000)
        fmt::format_to(std::back_inserter(out), "\\u{:04x}", number);
    else
        fmt::format_to(std::back_inserter(out), "\\U{:08x}", number);
}

// JSON has UTF-16's surrogates above U+FFFF.
template <typename Out>
void append_json_unicode(Out& out, char32_t code) {
    const auto number = static_cast<std::uint32_t>(code);
    if (number < 0x10000)
        append_unicode(out, code);
    else
        fmt::format_to(std::back_inserter(out), "\\u{:04x}\\u{:04x}", 0xd7c0U + (number >> 10),
                       0xdc00U + (number & 0x3ff));
}

// Whether `text` begins with `mark` and `digits` hexadecimal digits.
bool begins_escape(std::string_view text, char mark, std::size_t digits) {
    return text.size() > digits && text[0] == mark &&
           std::ranges::all_of(text.substr(1, digits),
                               [](unsigned char c) { return std::isxdigit(c) != 0; });
}

// The bytes of the escape of text that a backslash before `rest` begins; 0 if it begins none.
std::size_t escape_length(std::string_view rest) {
    return begins_escape(rest, 'x', 2)   ? 4
           : begins_escape(rest, 'u', 4) ? 6
           : begins_escape(rest, 'U', 8) ? 10
                                         : 0;
}

constexpr bool is_plain(char c) {
    return c >= 0x20 && c < 0x7f && c != '\\' && c != '"';
}

// The number of characters at the start that need no escape in text or JSON.
std::size_t plain_run(std::string_view text) {
    return static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_plain) -
                                    text.begin());
}

template <typename Out>
void append_json_escape(Out& out, char32_t code) {
    switch (code) {
    case '"': return append(out, "\\\"");
    case '\\': return append(out, "\\\\");
    case '\n': return append(out, "\\n");
    case '\t': return append(out, "\\t");
    case '\r': return append(out, "\\r");
    default: append_json_unicode(out, code);
    }
}

// Appends plain runs unchanged. Calls append_other(decoded, raw, rest) for each other character;
// `rest` is the text after it.
template <typename Out, typename AppendOther>
void append_runs(Out& out, std::string_view text, AppendOther append_other) {
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

template <typename Out>
void append_text(Out& out, std::string_view text) {
    append_runs(out, text, [&](const Decoded& next, std::string_view raw, std::string_view rest) {
        if (next.bytes <= 1 && (next.bytes == 0 || steers(next.code)))
            append_hex(out, static_cast<std::uint8_t>(raw[0]));
        else if (steers(next.code))
            append_unicode(out, next.code);
        else if (next.code == '\\' && escape_length(rest) > 0)
            append_hex(out, '\\');
        else
            append(out, raw);
    });
}

template <typename Out>
void append_json(Out& out, std::string_view text) {
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

template void append_text(std::string&, std::string_view);
template void append_text(Buffer&, std::string_view);
template void append_json(std::string&, std::string_view);
template void append_json(Buffer&, std::string_view);

std::string as_text(std::string_view text, std::size_t most) {
    std::string out;
    append_text(out, text);
    if (out.size() <= most)
        return out;
    std::size_t end = most;
    while (end > 0 && (static_cast<std::uint8_t>(out[end]) & 0xc0) == 0x80)
        --end;
    const std::size_t last = out.substr(0, end).rfind('\\');
    if (last != std::string::npos &&
        escape_length(std::string_view(out).substr(last + 1)) > end - last)
        end = last;
    out.resize(end);
    return out;
}

std::string as_utf8(std::string_view text) {
    std::string out;
    append_runs(out, text, [&](const Decoded& next, std::string_view raw, std::string_view rest) {
        if (next.bytes == 0 || (next.code == '\\' && begins_escape(rest, 'x', 2)))
            append_hex(out, static_cast<std::uint8_t>(raw[0]));
        else
            append(out, raw);
    });
    return out;
}

void append_made_json(Buffer& out, std::string_view json) {
    append_runs(out, json, [&](const Decoded& next, std::string_view raw, std::string_view) {
        if (next.bytes > 0 && steers(next.code))
            append_json_unicode(out, next.code);
        else
            append(out, raw);
    });
}

template <typename Out>
void append_base64(Out& out, Bytes bytes) {
    static constexpr char kDigits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (std::size_t at = 0; at < bytes.size(); at += 3) {
        const std::size_t have = std::min<std::size_t>(3, bytes.size() - at);
        std::uint32_t group = 0;
        for (std::size_t i = 0; i < 3; ++i)
            group = group << 8 | (i < have ? std::to_integer<std::uint32_t>(bytes[at + i]) : 0U);
        for (std::size_t i = 0; i < 4; ++i)
            out.push_back(i <= have ? kDigits[group >> (18 - 6 * i) & 63] : '=');
    }
}
template void append_base64(std::string&, Bytes);
template void append_base64(Buffer&, Bytes);

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

} // namespace tiercel::escape
