// SPDX-License-Identifier: Apache-2.0
#include "analyzer/ring/ring.h"

namespace tiercel::ring {

namespace {

std::uint64_t load_position(const std::uint64_t* position) {
    return __atomic_load_n(position, __ATOMIC_ACQUIRE) & ~7ULL; // records are multiples of 8
}

} // namespace

Ring::Ring(const std::uint64_t* producer, std::uint64_t* consumer, std::size_t size)
    : producer_(producer), consumer_(consumer), size_(size) {
    position_ = released_ = limit_ = load_position(consumer_);
}

bool Ring::positions_are_possible() const {
    const std::uint64_t written = __atomic_load_n(producer_, __ATOMIC_ACQUIRE);
    const std::uint64_t read = __atomic_load_n(consumer_, __ATOMIC_ACQUIRE);
    return written % 8 == 0 && read % 8 == 0 && written - read <= size_;
}

void Ring::snapshot() {
    limit_ = load_position(producer_);
    if (limit_ - position_ > size_) { // true also if the producer's position went back
        ++damaged_;
        position_ = limit_;
        front_bytes_ = 0;
    }
}

void Ring::skip_damage() {
    ++damaged_;
    damaged_bytes_ += limit_ - position_;
    position_ = limit_;
}

void Ring::release() {
    if (released_ == position_)
        return;
    released_ = position_;
    __atomic_store_n(consumer_, released_, __ATOMIC_RELEASE);
}

} // namespace tiercel::ring
