// SPDX-License-Identifier: Apache-2.0
//
// Text is an immutable string that its copies share. A copy is one increment, because threads
// inherit names, arguments and environments from their parents. Only one thread at a time may use
// Texts that share a string.
#pragma once

#include <cstdint>
#include <cstring>
#include <new>
#include <string_view>
#include <utility>

#include "analyzer/state/memory.h"

namespace tiercel::state {

class Text {
  public:
    Text() = default;
    Text(std::string_view text) : Text(text, {}) {}
    // The concatenation of `head` and `tail`.
    Text(std::string_view head, std::string_view tail) {
        if (head.empty() && tail.empty())
            return;
        const std::size_t size = head.size() + tail.size();
        shared_ = new (memory::allocate(sizeof(Shared) + size))
            Shared{1, static_cast<std::uint32_t>(size)};
        std::memcpy(chars(), head.data(), head.size());
        if (!tail.empty())
            std::memcpy(chars() + head.size(), tail.data(), tail.size());
    }
    Text(const Text& other) : shared_(other.shared_) {
        if (shared_ != nullptr)
            ++shared_->users;
    }
    Text(Text&& other) noexcept : shared_(std::exchange(other.shared_, nullptr)) {}
    Text& operator=(Text other) noexcept {
        std::swap(shared_, other.shared_);
        return *this;
    }
    ~Text() {
        if (shared_ != nullptr && --shared_->users == 0)
            memory::release(shared_, sizeof(Shared) + shared_->size);
    }

    std::string_view view() const {
        return shared_ != nullptr ? std::string_view(chars(), shared_->size) : std::string_view();
    }
    bool empty() const { return shared_ == nullptr; }
    operator std::string_view() const { return view(); }

    // Whether no other Text shares the string.
    bool is_last() const { return shared_ != nullptr && shared_->users == 1; }
    // Whether both share one string.
    bool same(const Text& other) const { return shared_ == other.shared_; }
    // Becomes `text`. Does not allocate if it has that value already.
    void set(std::string_view text) {
        if (view() != text)
            *this = Text(text);
    }

  private:
    struct Shared {
        std::uint32_t users;
        std::uint32_t size;
    };
    char* chars() const { return reinterpret_cast<char*>(shared_ + 1); }
    Shared* shared_ = nullptr;
};

} // namespace tiercel::state
