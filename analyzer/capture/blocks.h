// SPDX-License-Identifier: Apache-2.0
//
// The block types of capture files, and a cursor over the bytes of one block.
//
// A capture is a sequence of blocks: type (u32), total length (u32, this header and the trailer
// included), content padded to 4 bytes, total length again. Numbers are little-endian and
// unaligned.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>

namespace tiercel::capture {

enum BlockType : std::uint32_t {
    SECTION_HEADER = 0x0a0d0d0a,
    MACHINE_INFO = 0x201,
    PROCESS_LIST_V1 = 0x202,
    FD_LIST = 0x203,
    EVENTS = 0x204, // without the number of parameters
    INTERFACE_LIST = 0x205,
    USER_LIST = 0x206,
    PROCESS_LIST_V2 = 0x207,
    EVENTS_FLAGS = 0x208, // with 32 bits of flags before the event
    PROCESS_LIST_V3 = 0x209,
    PROCESS_LIST_V4 = 0x210,
    PROCESS_LIST_V5 = 0x211,
    PROCESS_LIST_V6 = 0x212,
    PROCESS_LIST_V7 = 0x213,
    PROCESS_LIST_V8 = 0x214,
    PROCESS_LIST_V9 = 0x215, // each entry begins with its length, from here on
    EVENTS_V2 = 0x216,
    EVENTS_FLAGS_V2 = 0x217,
    FD_LIST_V2 = 0x218,
    INTERFACE_LIST_V2 = 0x219,
    USER_LIST_V2 = 0x220,
    EVENTS_V2_LARGE = 0x221,
    EVENTS_FLAGS_V2_LARGE = 0x222,
};

// The flag of an event that was made through io_uring, in blocks with flags. Other readers pass
// over flags that they do not know.
inline constexpr std::uint32_t kFlagUring = 1U << 30;

// Maps the type numbers of the time before the format's release to the released ones. Others stay.
std::uint32_t released_type(std::uint32_t type);

inline constexpr std::uint32_t kByteOrderMagic = 0x1a2b3c4d;
inline constexpr std::uint16_t kMajorVersion = 1;

// Reads values in order. A read past the end gives zeros, and good() is false from then on.
class Cursor {
  public:
    explicit Cursor(std::span<const std::byte> bytes) : bytes_(bytes) {}

    template <typename T>
    T number() {
        T value{};
        if (take(sizeof value))
            std::memcpy(&value, bytes_.data() + at_ - sizeof value, sizeof value);
        return value;
    }
    // A text behind its 16-bit length.
    std::string_view text() { return bytes(number<std::uint16_t>()); }
    std::string_view bytes(std::size_t size) {
        if (!take(size))
            return {};
        return {reinterpret_cast<const char*>(bytes_.data()) + at_ - size, size};
    }
    std::size_t left() const { return bytes_.size() - at_; }
    bool good() const { return good_; }

  private:
    bool take(std::size_t size) {
        if (!good_ || size > left()) {
            good_ = false;
            return false;
        }
        at_ += size;
        return true;
    }
    std::span<const std::byte> bytes_;
    std::size_t at_ = 0;
    bool good_ = true;
};

} // namespace tiercel::capture
