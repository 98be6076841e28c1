// SPDX-License-Identifier: Apache-2.0
#include "analyzer/match/transforms.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

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

bool convert(Transform transform, std::string_view from, std::string& to) {
    switch (transform) {
    case Transform::tolower:
        for (const char c : from)
            to += fold(c);
        return true;
    case Transform::toupper:
        for (const char c : from)
            to += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
        return true;
    case Transform::basename: to = from.substr(from.rfind('/') + 1); return true; // npos + 1 is 0
    case Transform::b64: return decode_base64(from, to);
    default: return false;
    }
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

Values converted(const Slot& slot, const Values& input, Scratch& scratch) {
    for (const Value& value : input.all()) {
        std::string& text = text_at(scratch, scratch.values.size());
        if (!convert(slot.transform, value.text, text))
            return {};
        scratch.values.push_back({text, 0, 0});
    }
    return result(scratch);
}

Values length(const Slot& slot, const Values& input, Scratch& scratch) {
    if (slot.of_list) {
        scratch.values.push_back({{}, static_cast<std::int64_t>(input.count), 0});
        return result(scratch);
    }
    for (const Value& value : input.all())
        scratch.values.push_back({{}, static_cast<std::int64_t>(value.text.size()), 0});
    return result(scratch);
}

Values concatenated(const Slot& slot, Scratch& scratch) {
    const std::vector<Values>& inputs = scratch.inputs;
    std::string& text = text_at(scratch, 0);
    bool first = true;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        const bool literal = slot.inputs[i].slot == kNoSlot;
        if (!literal && !inputs[i].present)
            return {};
        const std::size_t count = literal ? 1 : inputs[i].count;
        for (std::size_t k = 0; k < count; ++k) {
            if (!first)
                text += slot.separator;
            first = false;
            if (literal)
                text += slot.inputs[i].literal;
            else
                append_value(text, scratch.types[i], inputs[i].first[k]);
        }
    }
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
    if (slot.transform == Transform::concat || slot.transform == Transform::join)
        return concatenated(slot, scratch);
    const Values& input = scratch.inputs[0];
    if (!input.present)
        return {};
    return slot.transform == Transform::len ? length(slot, input, scratch)
                                            : converted(slot, input, scratch);
}

} // namespace tiercel::filter
