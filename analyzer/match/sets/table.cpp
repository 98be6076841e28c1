// SPDX-License-Identifier: Apache-2.0
#include "analyzer/match/sets/table.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace tiercel::filter {

namespace {

// The hash has no seed, because the table holds literals of rules only.
std::uint32_t hash_of(std::string_view text) {
    std::uint64_t hash = 0x9E3779B97F4A7C15ULL ^ text.size();
    const char* at = text.data();
    std::size_t left = text.size();
    const auto mix = [&hash](std::uint64_t word) {
        hash = (hash ^ word) * 0xD6E8FEB86659FD93ULL;
        hash ^= hash >> 32;
    };
    for (; left >= 8; at += 8, left -= 8) {
        std::uint64_t word;
        std::memcpy(&word, at, 8);
        mix(word);
    }
    if (left > 0) {
        std::uint64_t word = 0;
        std::memcpy(&word, at, left);
        mix(word);
    }
    return static_cast<std::uint32_t>(hash ^ hash >> 29);
}

std::uint64_t length_bit(std::size_t length) {
    return 1ULL << std::min<std::size_t>(length, 63);
}

} // namespace

std::uint32_t LiteralTable::add(std::string_view literal) {
    const auto [entry, fresh] = numbers_.try_emplace(std::string(literal), size());
    if (fresh)
        literals_.emplace_back(literal);
    return entry->second;
}

void LiteralTable::freeze() {
    numbers_ = {};
    slots_.assign(std::bit_ceil(literals_.size() * 2 + 1), {});
    for (std::uint32_t i = 0; i < literals_.size(); ++i) {
        lengths_ |= length_bit(literals_[i].size());
        const std::uint32_t hash = hash_of(literals_[i]);
        std::size_t slot = hash & (slots_.size() - 1);
        while (slots_[slot].literal != kNone)
            slot = (slot + 1) & (slots_.size() - 1);
        slots_[slot] = {hash, i};
    }
}

std::uint32_t LiteralTable::find(std::string_view text) const {
    if ((lengths_ & length_bit(text.size())) == 0)
        return kNone;
    const std::uint32_t hash = hash_of(text);
    for (std::size_t slot = hash & (slots_.size() - 1);; slot = (slot + 1) & (slots_.size() - 1)) {
        const Slot& entry = slots_[slot];
        if (entry.literal == kNone)
            return kNone;
        if (entry.hash == hash && literals_[entry.literal] == text)
            return entry.literal;
    }
}

} // namespace tiercel::filter
