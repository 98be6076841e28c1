// SPDX-License-Identifier: Apache-2.0
//
// FlatMap: a hash map from 64-bit integers with open addressing, for thread ids and fds. Elements
// move when others are inserted or erased: keep no pointer to one across a change.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace tiercel::state {

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

    // The element of `key`, made when there is none.
    T& operator[](std::int64_t key) {
        if (size_ + 1 > slots_.size() - slots_.size() / 4)
            grow();
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
        // Elements behind the hole move up, so that no search stops short of them.
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
        return true;
    }

    std::size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }
    void clear() {
        slots_.clear();
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

    // For walking in steps while the map changes: slots are 0 … capacity() - 1, some free.
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

    static std::size_t hash(std::int64_t key) {
        return static_cast<std::size_t>((static_cast<std::uint64_t>(key) * 0x9e3779b97f4a7c15ULL) >>
                                        24);
    }
    std::size_t mask() const { return slots_.size() - 1; }
    // Where `key` is, or would go.
    std::size_t slot_of(std::int64_t key) const {
        if (slots_.empty())
            return 0;
        std::size_t slot = hash(key) & mask();
        while (slots_[slot].key != key && slots_[slot].key != kFree)
            slot = (slot + 1) & mask();
        return slot;
    }
    void grow() {
        std::vector<Slot> old(slots_.empty() ? 8 : slots_.size() * 2);
        old.swap(slots_);
        for (Slot& slot : old)
            if (slot.key != kFree)
                slots_[slot_of(slot.key)] = std::move(slot);
    }

    std::vector<Slot> slots_; // their number is a power of two
    std::size_t size_ = 0;
};

} // namespace tiercel::state
