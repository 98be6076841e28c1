// SPDX-License-Identifier: Apache-2.0
//
// Transforms: one function for each transformer, and transform(), which calls the right one.
#include "analyzer/match/transforms.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "analyzer/match/getopt.h"
#include "analyzer/match/sets/text.h"

namespace tiercel::filter {

namespace {

int sextet(char c) {
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

template <typename T>
void append_number(std::string& out, T number) {
    char digits[32];
    const auto [end, error] = std::to_chars(digits, digits + sizeof digits, number);
    out.append(digits, error == std::errc() ? end : digits);
}

void append_address(std::string& out, std::string_view address) {
    char text[INET6_ADDRSTRLEN] = "";
    unsigned char bytes[16] = {};
    std::memcpy(bytes, address.data(), std::min<std::size_t>(address.size(), sizeof bytes));
    inet_ntop(address.size() == 4 ? AF_INET : AF_INET6, bytes, text, sizeof text);
    out += text;
}

void append_value(std::string& out, ValueType type, const Value& value) {
    switch (type) {
    case ValueType::text:
    case ValueType::bytes: out += value.text; break;
    case ValueType::signed_number: append_number(out, value.number); break;
    case ValueType::unsigned_number:
        append_number(out, static_cast<std::uint64_t>(value.number));
        break;
    case ValueType::boolean: out += value.number != 0 ? "true" : "false"; break;
    case ValueType::real: append_number(out, value.real); break;
    case ValueType::address:
    case ValueType::network: append_address(out, value.text); break;
    }
}

void append_lower(std::string_view from, std::string& to) {
    for (const char c : from)
        to += fold(c);
}

void append_upper(std::string_view from, std::string& to) {
    for (const char c : from)
        to += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

std::string& text_at(Scratch& scratch, std::size_t index) {
    if (scratch.texts.size() <= index)
        scratch.texts.resize(index + 1);
    scratch.texts[index].clear();
    return scratch.texts[index];
}

Values result(Scratch& scratch) {
    return {true, scratch.values.data(), static_cast<std::uint32_t>(scratch.values.size())};
}

// Applies `convert(text, result)`, which returns false if there is no result, to each value.
template <typename Convert>
Values converted(const Values& input, Scratch& scratch, Convert convert) {
    for (const Value& value : input.all()) {
        std::string& text = text_at(scratch, scratch.values.size());
        if (!convert(value.text, text))
            return {};
        scratch.values.push_back({text, 0, 0});
    }
    return result(scratch);
}

Values length(bool of_list, const Values& input, Scratch& scratch) {
    if (of_list) {
        scratch.values.push_back({{}, static_cast<std::int64_t>(input.count), 0});
        return result(scratch);
    }
    for (const Value& value : input.all())
        scratch.values.push_back({{}, static_cast<std::int64_t>(value.text.size()), 0});
    return result(scratch);
}

// The values of the inputs from `first` on, with `separator` between them.
Values joined(std::size_t first, std::string_view separator, Scratch& scratch) {
    std::string& text = text_at(scratch, 0);
    bool any = false;
    for (std::size_t i = first; i < scratch.inputs.size(); ++i) {
        if (!scratch.inputs[i].present)
            return {};
        for (const Value& value : scratch.inputs[i].all()) {
            if (any)
                text += separator;
            any = true;
            append_value(text, scratch.types[i], value);
        }
    }
    scratch.values.push_back({text, 0, 0});
    return result(scratch);
}

Values options(const Slot& slot, Scratch& scratch) {
    scratch.arguments.clear();
    for (std::size_t i = 1; i < scratch.inputs.size(); ++i) {
        if (!scratch.inputs[i].present)
            return {};
        for (const Value& value : scratch.inputs[i].all())
            scratch.arguments.push_back(value.text);
    }
    if (scratch.inputs[0].count == 0)
        return {};
    const char letter = slot.argument.empty() ? '\0' : slot.argument[0];
    find_options(scratch.arguments, scratch.inputs[0].first->text, letter, scratch.options);
    if (letter != '\0' && scratch.options.empty())
        return {};
    for (const std::string_view text : scratch.options)
        scratch.values.push_back({text, 0, 0});
    return result(scratch);
}

} // namespace

bool decode_base64(std::string_view text, std::string& bytes) {
    while (text.ends_with('='))
        text.remove_suffix(1);
    std::uint32_t bits = 0;
    unsigned held = 0;
    for (const char c : text) {
        const int value = sextet(c);
        if (value < 0)
            return false;
        bits = bits << 6 | static_cast<std::uint32_t>(value);
        held += 6;
        if (held >= 8) {
            held -= 8;
            bytes += static_cast<char>(bits >> held & 0xff);
        }
    }
    return text.size() % 4 != 1;
}

Values transform(const Slot& slot, Scratch& scratch) {
    scratch.values.clear();
    if (scratch.inputs.empty() || !scratch.inputs[0].present)
        return {};
    const Values& input = scratch.inputs[0];
    switch (slot.transform) {
    case Transform::tolower:
        return converted(input, scratch, [](std::string_view from, std::string& to) {
            append_lower(from, to);
            return true;
        });
    case Transform::toupper:
        return converted(input, scratch, [](std::string_view from, std::string& to) {
            append_upper(from, to);
            return true;
        });
    case Transform::basename:
        return converted(input, scratch, [](std::string_view from, std::string& to) {
            to = from.substr(from.rfind('/') + 1); // npos + 1 is 0
            return true;
        });
    case Transform::b64: return converted(input, scratch, decode_base64);
    case Transform::len: return length(slot.of_list, input, scratch);
    case Transform::join:
        return joined(1, input.count > 0 ? input.first->text : std::string_view(), scratch);
    case Transform::concat: return joined(0, {}, scratch);
    case Transform::getopt: return options(slot, scratch);
    case Transform::val: // the resolver puts the field itself in its place
    case Transform::none: break;
    }
    return {};
}

} // namespace tiercel::filter
