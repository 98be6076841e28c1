// SPDX-License-Identifier: Apache-2.0
//
// LiteralTable: all values that comparisons of one field look for, each with a number
//
// One look-up per event answers every =, !=, in and intersects of the field at once: the number
// leads to a row of bits, one for each comparison. A table is filled once; look-ups allocate
// nothing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace tiercel::filter {

class LiteralTable {
  public:
    static constexpr std::uint32_t kNone = UINT32_MAX;

    // The number of `literal`, the same for the same text.
    std::uint32_t add(std::string_view literal);
    // Makes the table ready for find(); add() must not be called after it.
    void freeze();
    std::uint32_t find(std::string_view text) const;
    std::uint32_t size() const { return static_cast<std::uint32_t>(literals_.size()); }

  private:
    struct Slot {
        std::uint32_t hash = 0;
        std::uint32_t literal = kNone;
    };
    std::vector<std::string> literals_;
    std::unordered_map<std::string, std::uint32_t> numbers_; // while filling
    std::vector<Slot> slots_;                                // open addressing, a power of two
    // Which lengths occur; 63 stands for all longer ones. Most values are refused by it alone.
    std::uint64_t lengths_ = 0;
};

// Bits of a row: one for each comparison of a field that the same look-up answers.
using Word = std::uint64_t;
inline constexpr std::uint32_t kWordBits = 64;
inline bool test_bit(const Word* row, std::uint32_t bit) {
    return (row[bit / kWordBits] >> (bit % kWordBits) & 1) != 0;
}
inline void set_bit(Word* row, std::uint32_t bit) {
    row[bit / kWordBits] |= Word{1} << (bit % kWordBits);
}
inline std::uint32_t words_for(std::uint32_t bits) {
    return (bits + kWordBits - 1) / kWordBits;
}

} // namespace tiercel::filter
