// SPDX-License-Identifier: Apache-2.0
//
// BlockWriter appends blocks to a buffer. It fills in the lengths when a block or an entry ends.
//
//     BlockWriter out(buffer);
//     out.begin(USER_LIST_V2);
//     out.begin_entry(); out.number(uid); out.text(name, kMaxName); out.end_entry();
//     out.end();
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "analyzer/capture/blocks.h"

namespace tiercel::capture {

class BlockWriter {
  public:
    // Appends to `out`, which must outlive this object.
    explicit BlockWriter(std::vector<std::byte>& out) : out_(out) {}

    void begin(std::uint32_t type) {
        block_ = out_.size();
        number(type);
        number(std::uint32_t{0});
    }
    void end() {
        out_.resize(block_ + (content_size() + 3) / 4 * 4 + kBlockHeader);
        const auto length =
            static_cast<std::uint32_t>(out_.size() - block_ + sizeof(std::uint32_t));
        put(block_ + sizeof(std::uint32_t), length);
        number(length);
    }
    // Bytes since begin(), without the header.
    std::size_t content_size() const { return out_.size() - block_ - kBlockHeader; }

    // Begins an entry that starts with its length, which includes the length itself.
    void begin_entry() {
        entry_ = out_.size();
        number(std::uint32_t{0});
    }
    void end_entry() { put(entry_, static_cast<std::uint32_t>(out_.size() - entry_)); }

    template <typename T>
    void number(T value) {
        bytes({reinterpret_cast<const char*>(&value), sizeof value});
    }
    // Writes a 16-bit length and the text, cut to `most` bytes because readers refuse longer texts.
    void text(std::string_view value, std::uint16_t most) {
        value = value.substr(0, most);
        number(static_cast<std::uint16_t>(value.size()));
        bytes(value);
    }
    void bytes(std::string_view value) {
        const auto* data = reinterpret_cast<const std::byte*>(value.data());
        out_.insert(out_.end(), data, data + value.size());
    }

  private:
    static constexpr std::size_t kBlockHeader = 2 * sizeof(std::uint32_t);
    void put(std::size_t at, std::uint32_t value) {
        std::memcpy(out_.data() + at, &value, sizeof value);
    }

    std::vector<std::byte>& out_;
    std::size_t block_ = 0;
    std::size_t entry_ = 0;
};

} // namespace tiercel::capture
