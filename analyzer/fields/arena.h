// SPDX-License-Identifier: Apache-2.0
//
// Arena: memory for the values of one event. Everything is given back at once with the next event.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tiercel::filter {

class Arena {
  public:
    void reset() {
        used_ = 0;
        current_ = 0;
    }
    std::string_view copy(std::string_view text) {
        char* room = static_cast<char*>(allocate(text.size(), 1));
        std::memcpy(room, text.data(), text.size());
        return {room, text.size()};
    }
    // T must need no destructor.
    template <typename T>
    std::span<T> array(std::size_t count) {
        static_assert(std::is_trivially_destructible_v<T>);
        T* room = static_cast<T*>(allocate(count * sizeof(T), alignof(T)));
        for (std::size_t i = 0; i < count; ++i)
            new (room + i) T();
        return {room, count};
    }
    // An empty string to build a text in, before it is copied. One user at a time.
    std::string& scratch() {
        scratch_.clear();
        return scratch_;
    }

  private:
    static constexpr std::size_t kBlock = std::size_t{16} * 1024;
    struct Block {
        std::unique_ptr<std::byte[]> bytes;
        std::size_t size;
    };
    void* allocate(std::size_t size, std::size_t alignment) {
        for (;; ++current_, used_ = 0) {
            if (current_ == blocks_.size()) {
                const std::size_t room = size + alignment > kBlock ? size + alignment : kBlock;
                blocks_.push_back({std::make_unique<std::byte[]>(room), room});
            }
            const std::size_t at = (used_ + alignment - 1) / alignment * alignment;
            if (at + size <= blocks_[current_].size) {
                used_ = at + size;
                return blocks_[current_].bytes.get() + at;
            }
        }
    }
    std::vector<Block> blocks_;
    std::size_t current_ = 0;
    std::size_t used_ = 0;
    std::string scratch_;
};

} // namespace tiercel::filter
