// SPDX-License-Identifier: Apache-2.0
//
// Counts the bytes that the state's tables and texts take, so that StateTracker can keep to its
// budget. Sizes are those of malloc(3)'s chunks, which are multiples of 16 bytes. The count is of
// the process: all trackers share it. Only one thread at a time may use trackers.
#pragma once

#include <cstddef>
#include <new>

namespace tiercel::state::memory {

inline std::size_t in_use = 0; // bytes

// The bytes that malloc takes for `size`: a header of 8 bytes, rounded up to 16.
constexpr std::size_t chunk(std::size_t size) {
    return (size + 8 + 15) & ~std::size_t{15};
}

inline void* allocate(std::size_t size) {
    void* made = ::operator new(size);
    in_use += chunk(size);
    return made;
}
inline void release(void* at, std::size_t size) {
    in_use -= chunk(size); // first, because gcc 12 takes `size` for a use of the memory
    ::operator delete(at);
}

// A standard allocator that counts.
template <typename T>
struct Allocator {
    using value_type = T;
    Allocator() = default;
    template <typename Other>
    explicit(false) Allocator(const Allocator<Other>& /*other*/) {}
    T* allocate(std::size_t count) { return static_cast<T*>(memory::allocate(count * sizeof(T))); }
    void deallocate(T* at, std::size_t count) { memory::release(at, count * sizeof(T)); }
    bool operator==(const Allocator& /*other*/) const { return true; }
};

} // namespace tiercel::state::memory
