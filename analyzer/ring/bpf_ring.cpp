// SPDX-License-Identifier: Apache-2.0
#include "analyzer/ring/bpf_ring.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace tiercel::ring {

namespace {

constexpr std::uint32_t kBusy = 1U << 31;    // BPF_RINGBUF_BUSY_BIT
constexpr std::uint32_t kDiscard = 1U << 30; // BPF_RINGBUF_DISCARD_BIT
constexpr std::size_t kHeader = 8;           // BPF_RINGBUF_HDR_SZ

static_assert(sizeof(unsigned long) == sizeof(std::uint64_t), "positions are unsigned long");

constexpr std::uint64_t padded(std::uint64_t length) {
    return (length + kHeader + 7) & ~7ULL;
}

} // namespace

BpfRing::BpfRing(os::Mapping consumer, os::Mapping producer, std::size_t page, std::size_t size)
    : Ring(reinterpret_cast<const std::uint64_t*>(producer.data()),
           reinterpret_cast<std::uint64_t*>(consumer.data()), size),
      consumer_(std::move(consumer)), producer_(std::move(producer)),
      data_(producer_.data() + page), readable_(producer_.size() - page) {}

os::Result<BpfRing> BpfRing::map(const os::UniqueFd& fd, std::size_t data_bytes) {
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    if (!std::has_single_bit(data_bytes) || data_bytes % page != 0)
        return os::error("map", "a ring, because its size is not valid", EINVAL);
    auto consumer =
        os::Mapping::shared(fd, page, 0, PROT_READ | PROT_WRITE, "a ring's consumer page");
    if (!consumer)
        return consumer.error();
    const std::size_t length = page + data_bytes + std::min(data_bytes, kOverlap);
    auto producer =
        os::Mapping::shared(fd, length, static_cast<off_t>(page), PROT_READ, "a ring's data");
    if (!producer)
        return producer.error();
    return BpfRing(std::move(*consumer), std::move(*producer), page, data_bytes);
}

std::optional<Bytes> BpfRing::front() {
    while (limit_ - position_ >= kHeader) {
        const std::byte* header = data_ + offset();
        const std::uint32_t word =
            __atomic_load_n(reinterpret_cast<const std::uint32_t*>(header), __ATOMIC_ACQUIRE);
        if ((word & kBusy) != 0)
            return std::nullopt;
        const std::uint32_t length = word & ~(kBusy | kDiscard);
        if (padded(length) > limit_ - position_ || offset() + kHeader + length > readable_) {
            skip_damage();
            return std::nullopt;
        }
        if ((word & kDiscard) == 0) {
            front_bytes_ = padded(length);
            return Bytes(header + kHeader, length);
        }
        ++discarded_;
        position_ += padded(length);
    }
    return std::nullopt;
}

// A record's header holds the number of its page in the ring, whose first three pages are no data
// (bpf_ringbuf_rec_pg_off()).
bool BpfRing::resume(std::uint64_t done, bool pages) {
    constexpr std::uint64_t kPagesBefore = 3;
    if (!positions_are_possible())
        return false;
    snapshot();
    const std::size_t page = static_cast<std::size_t>(producer_.size() - readable_);
    std::uint64_t at = position_;
    bool met = at == done;
    while (at != limit_) {
        const std::size_t offset = static_cast<std::size_t>(at & (size() - 1));
        std::uint32_t header[2];
        std::memcpy(header, data_ + offset, sizeof header);
        const std::uint64_t length = padded(header[0] & ~(kBusy | kDiscard));
        if (length > limit_ - at || header[1] != (pages ? kPagesBefore + offset / page : 0))
            return false;
        at += length;
        met |= at == done;
    }
    position_ = met ? done : position_;
    release();
    return true;
}

} // namespace tiercel::ring
