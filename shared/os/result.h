// SPDX-License-Identifier: Apache-2.0
//
// Error and Result<T>: how every fallible call of ours reports, in both processes.
//
// The contract, written once:
//  - A call that can fail returns Result<T>. The compiler warns when the caller ignores it.
//  - An Error is made where the failure is seen and travels up unchanged: no layer rewraps it, so
//    `what` and `on` are the innermost operation.
//  - `number` is the kernel's errno, or 0 when the refusal was ours and not the kernel's.
//  - Callers may branch on `number` only. Texts are for people.
//  - Only main() prints, once, through print(); it adds what to do about it.
//  - Reading the value of a failed Result, or the error of a good one, is a bug and traps.
#pragma once

#include <cerrno>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>

namespace tiercel::os {

struct Error {
    const char* what; // the operation, static storage: "open", "load the probe"
    char on[80];      // the object it was done on, cut to fit; "" when there is none
    int number;       // errno, or 0
};

// Keeps errno's value at the time of the call unless `number` says otherwise.
[[nodiscard]] Error error(const char* what, std::string_view on = {}, int number = errno);

// Formats a line, cuts it at 1,023 bytes, and writes it to stderr with one write(2). A byte that is
// not printable ASCII becomes "\xHH". stdio is not used for that, because it asks what stderr is
// (ioctl, fstat, lseek), which a seccomp filter may refuse.
[[gnu::format(printf, 1, 2)]] void write_stderr(const char* format, ...);

// One line on stderr: "privd: cannot open /x: Permission denied (errno 13); TODO".
// `todo` tells the reader what to do, and may be empty.
void print(const char* program, const Error& error, std::string_view todo);

template <typename T>
class [[nodiscard]] Result {
  public:
    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    Result(const Error& error) : state_(std::in_place_index<1>, error) {}

    [[nodiscard]] bool has_value() const { return state_.index() == 0; }
    explicit operator bool() const { return has_value(); }
    T& operator*() & { return value(); }
    T&& operator*() && { return std::move(value()); }
    T* operator->() { return &value(); }
    [[nodiscard]] const Error& error() const {
        const Error* error = std::get_if<1>(&state_);
        return error ? *error : (__builtin_trap(), *error);
    }

  private:
    T& value() {
        T* value = std::get_if<0>(&state_);
        return value ? *value : (__builtin_trap(), *value);
    }
    std::variant<T, Error> state_;
};

// Success without a value: `return {};`.
template <>
class [[nodiscard]] Result<void> : public Result<std::monostate> {
  public:
    Result() : Result<std::monostate>(std::monostate{}) {}
    Result(const Error& error) : Result<std::monostate>(error) {}
};

} // namespace tiercel::os
