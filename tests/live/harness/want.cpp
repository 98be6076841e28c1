// SPDX-License-Identifier: Apache-2.0
#include "tests/live/harness/want.h"

#include <cstdio>
#include <cstring>

namespace tiercel::live {

namespace {

using event::ParamType;

bool is_signed(ParamType type) {
    switch (type) {
    case ParamType::INT8:
    case ParamType::INT16:
    case ParamType::INT32:
    case ParamType::INT64:
    case ParamType::ERRNO:
    case ParamType::FD:
    case ParamType::PID:
    case ParamType::PID32:
    case ParamType::FD32: return true;
    default: return false;
    }
}

std::uint64_t number_of(event::Bytes bytes, bool with_sign) {
    std::uint64_t number = 0;
    std::memcpy(&number, bytes.data(), bytes.size());
    const unsigned unused = static_cast<unsigned>(64 - 8 * bytes.size());
    if (with_sign && unused < 64)
        number = static_cast<std::uint64_t>(static_cast<std::int64_t>(number << unused) >> unused);
    return number;
}

std::string shown(std::string_view bytes) {
    std::string out = std::to_string(bytes.size()) + " bytes \"";
    for (char c : bytes.substr(0, 200)) {
        char hex[8];
        if (c >= 0x20 && c < 0x7f) {
            out += c;
        } else {
            std::snprintf(hex, sizeof hex, "\\x%02x",
                          static_cast<unsigned>(static_cast<unsigned char>(c)));
            out += hex;
        }
    }
    return out + '"';
}

std::string shown(std::uint64_t number) {
    char text[64];
    std::snprintf(text, sizeof text, "%lld (0x%llx)", static_cast<long long>(number),
                  static_cast<unsigned long long>(number));
    return text;
}

std::string_view view(event::Bytes bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string compare_number(const event::ParamInfo& info, event::Bytes got,
                           const std::string& wanted,
                           const std::function<bool(std::uint64_t)>& holds) {
    if (got.size() != event::width(info.type) || got.empty())
        return "want " + wanted + ", got " + shown(view(got)) + " of a type that is no such number";
    const std::uint64_t number = number_of(got, is_signed(info.type));
    return holds(number) ? "" : "want " + wanted + ", got " + shown(number);
}

} // namespace

std::string Want::mismatch(const event::ParamInfo& info, event::Bytes got) const {
    if (const auto* number = std::get_if<std::uint64_t>(&value_)) {
        // The type's width cuts what is wanted, too: an expected -1 of a 32-bit type is 0xffffffff.
        std::uint64_t wanted = *number;
        if (!is_signed(info.type) && got.size() < 8)
            wanted &= (std::uint64_t{1} << 8 * got.size()) - 1;
        return compare_number(info, got, shown(wanted),
                              [&](std::uint64_t n) { return n == wanted; });
    }
    if (const auto* condition = std::get_if<Condition>(&value_))
        return compare_number(info, got, condition->description, condition->holds);
    if (const auto* condition = std::get_if<TextCondition>(&value_))
        return condition->holds(view(got))
                   ? ""
                   : "want " + condition->description + ", got " + shown(view(got));
    std::string_view wanted;
    if (const auto* text = std::get_if<std::string>(&value_))
        wanted = {text->c_str(), text->size() + 1}; // texts carry their NUL
    else if (const auto* raw = std::get_if<Raw>(&value_))
        wanted = raw->bytes;
    return view(got) == wanted ? "" : "want " + shown(wanted) + ", got " + shown(view(got));
}

} // namespace tiercel::live
