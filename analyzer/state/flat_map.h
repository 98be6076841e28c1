// SPDX-License-Identifier: Apache-2.0
//
// FlatMap is a hash map from 64-bit integers with open addressing, for thread ids and fds. Elements
// move when others are inserted or erased, so keep no pointer to one across a change.
//
// The hash has a seed of this process, because captures and processes may choose their keys: keys
// that collide here collide nowhere else. The table halves when few slots are used, to return
// memory.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "analyzer/state/memory.h"

namespace tiercel::state {

struct HashSeed {
    std::uint64_t before, between;
};
// Chosen at random when the program starts.
extern const HashSeed kHashSeed;

template <typename T>
class FlatMap {
  public:
    // No element has this key.
    static constexpr std::int64_t kFree = INT64_MIN;

    T* find(std::int64_t key) {
        const std::size_t slot = slot_of(key);
        return slot < slots_.size() && slots_[slot].key == key ? &slots_[slot].value : nullptr;
    }
    const T* find(std::int64_t key) const { return const_cast<FlatMap*>(this)->find(key); }

    // The element of `key`, which is made if there is none.
    T& operator[](std::int64_t key) {
        if (size_ + 1 > slots_.size() - slots_.size() / 4)
            resize(slots_.empty() ? kSmallest : slots_.size() * 2);
        Slot& slot = slots_[slot_of(key)];
        if (slot.key == kFree) {
            slot.key = key;
            ++size_;
        }
        return slot.value;
    }

    bool erase(std::int64_t key) {
        if (slots_.empty())
            return false;
        std::size_t hole = slot_of(key);
        if (slots_[hole].key != key || key == kFree)
            return false;
        // Moves the elements behind the hole up, so that searches still find them.
        for (std::size_t next = (hole + 1) & mask(); slots_[next].key != kFree;
             next = (next + 1) & mask()) {
            const std::size_t home = hash(slots_[next].key) & mask();
            if (((next - home) & mask()) >= ((next - hole) & mask())) {
                slots_[hole] = std::move(slots_[next]);
                hole = next;
            }
        }
        slots_[hole] = Slot{};
        --size_;
        if (slots_.size() > kSmallest && size_ < slots_.size() / 8)
            resize(slots_.size() / 2);
        return true;
    }

    std::size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }
    void clear() {
        Slots().swap(slots_);
        size_ = 0;
    }

    // Calls visit(key, element) for each, in no order; the map must not change meanwhile.
    template <typename Visit>
    void for_each(Visit&& visit) {
        for (Slot& slot : slots_)
            if (slot.key != kFree)
                visit(slot.key, slot.value);
    }
    template <typename Visit>
    void for_each(Visit&& visit) const {
        for (const Slot& slot : slots_)
            if (slot.key != kFree)
                visit(slot.key, slot.value);
    }

    // These walk in steps while the map changes: slots are 0 … capacity() - 1, and some are free.
    std::size_t capacity() const { return slots_.size(); }
    T* at_slot(std::size_t slot) {
        return slots_[slot].key != kFree ? &slots_[slot].value : nullptr;
    }
    std::int64_t key_at_slot(std::size_t slot) const { return slots_[slot].key; }

  private:
    struct Slot {
        std::int64_t key = kFree;
        T value{};
    };

    using Slots = std::vector<Slot, memory::Allocator<Slot>>;
    static constexpr std::size_t kSmallest = 8;

    // Mixes the seed in before and between two rounds of multiplication and shift.
    static std::size_t hash(std::int64_t key) {
        std::uint64_t mixed =
            (static_cast<std::uint64_t>(key) ^ kHashSeed.before) * 0x9e3779b97f4a7c15ULL;
        mixed = ((mixed ^ (mixed >> 32)) + kHashSeed.between) * 0xd6e8feb86659fd93ULL;
        return static_cast<std::size_t>(mixed ^ (mixed >> 32));
    }
    std::size_t mask() const { return slots_.size() - 1; }
    // The slot of `key`, or the free slot where it would go.
    std::size_t slot_of(std::int64_t key) const {
        if (slots_.empty())
            return 0;
        std::size_t slot = hash(key) & mask();
        while (slots_[slot].key != key && slots_[slot].key != kFree)
            slot = (slot + 1) & mask();
        return slot;
    }
    void resize(std::size_t slots) {
        Slots old(slots);
        old.swap(slots_);
        for (Slot& slot : old)
            if (slot.key != kFree)
                slots_[slot_of(slot.key)] = std::move(slot);
    }

    Slots slots_; // their number is a power of two
    std::size_t size_ = 0;
};

} // namespace tiercel::state
