// SPDX-License-Identifier: Apache-2.0
//
// Want: what a test expects of one parameter. Numbers, text, bytes and "no value" are written as
// they are; where the exact value cannot be known, a condition with a description is.
#pragma once

#include <concepts>
#include <functional>
#include <string>
#include <string_view>
#include <variant>

#include "shared/event/view.h"

namespace tiercel::live {

struct Nothing {};
inline constexpr Nothing kNothing; // the parameter is there, with length 0

struct Raw { // exactly these bytes
    std::string bytes;
};

struct Condition {
    std::string description;
    std::function<bool(std::uint64_t)>
        holds; // given the number, sign-extended where its type is signed
};

struct TextCondition {
    std::string description;
    std::function<bool(std::string_view)> holds; // given all the bytes
};

class Want {
  public:
    template <typename T>
    requires std::integral<T> || std::is_enum_v<T> Want(T number)
        : value_(static_cast<std::uint64_t>(number)) {}
    Want(const char* text) : value_(std::string(text)) {}
    Want(std::string text) : value_(std::move(text)) {}
    Want(Nothing) : value_(kNothing) {}
    Want(Raw raw) : value_(std::move(raw)) {}
    Want(Condition condition) : value_(std::move(condition)) {}
    Want(TextCondition condition) : value_(std::move(condition)) {}

    // Empty when the parameter is as wanted, else what was wanted and what came.
    [[nodiscard]] std::string mismatch(const event::ParamInfo& info, event::Bytes got) const;

  private:
    std::variant<std::uint64_t, std::string, Nothing, Raw, Condition, TextCondition> value_;
};

struct WantParam {
    std::string_view name;
    Want want;
};

inline Condition between(std::uint64_t low, std::uint64_t high) {
    return {"a number from " + std::to_string(low) + " to " + std::to_string(high),
            [low, high](std::uint64_t n) { return n >= low && n <= high; }};
}
inline Condition at_least(std::uint64_t low) {
    return between(low, ~std::uint64_t{0} >> 1);
}
inline const Condition kNonzero{"a number other than 0", [](std::uint64_t n) { return n != 0; }};
inline TextCondition containing(std::string part) {
    return {"text containing " + part,
            [part](std::string_view text) { return text.find(part) != std::string_view::npos; }};
}

// Several NUL-terminated texts, one after the other.
template <typename... Texts>
Raw texts(Texts... all) {
    Raw raw;
    ((raw.bytes += all, raw.bytes += '\0'), ...);
    return raw;
}

} // namespace tiercel::live
