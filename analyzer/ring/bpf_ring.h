// SPDX-License-Identifier: Apache-2.0
//
// BpfRing: the reader's end of one BPF ring buffer. It hands out the ring's records in place, in
// the order in which they were reserved, and gives their room back when it is told to.
//
// The layout is the kernel's (kernel/bpf/ringbuf.c): a page with the consumer's position, which
// only the reader writes; a page with the producer's position; the data, and then the data once
// more, so that a record that wraps can be read in one piece. Positions only grow; modulo the size
// they are offsets. A record is a header of u32 length (bit 31: still being written, bit 30: thrown
// away) and u32 page offset, then the bytes, then padding up to 8. The kernel stores the producer's
// position after the header that it has passed, so below a position read with acquire every header
// is valid.
//
// Nothing read from the ring is trusted: a length that does not fit ends this stretch of the ring,
// is counted, and reading goes on at the producer's position.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "shared/os/mapping.h"
#include "shared/os/unique_fd.h"

namespace tiercel::ring {

using Bytes = std::span<const std::byte>;

class BpfRing {
  public:
    // Longest record that may wrap. Events are at most 64 KiB. The second copy of the data is
    // mapped this far only: the kernel maps ring pages at once, and each mapping of a page counts
    // as memory of this process, so two whole copies would count twice.
    static constexpr std::size_t kOverlap = 128 << 10;

    // Maps the ring behind `fd`, whose data area is `data_bytes` long (a power of two and a
    // multiple of the page size). The fd stays the caller's, who needs it for nothing but waiting.
    // Reading starts at the consumer's position. EINVAL: no such size; otherwise mmap(2)'s error.
    static os::Result<BpfRing> map(const os::UniqueFd& fd, std::size_t data_bytes);

    // Takes the producer's position: front() and pop() go as far as this.
    void snapshot();

    // The oldest finished record, where it lies, or nothing: at the end of the snapshot, or at a
    // record that is still being written. The bytes stay good until release().
    std::optional<Bytes> front();
    void pop(); // steps over what front() gave

    // Gives the room of all popped records back to the producer.
    void release();

    std::size_t unreleased() const { return static_cast<std::size_t>(position_ - released_); }
    std::size_t size() const { return size_; }
    // Bytes produced and not yet popped, as of the snapshot.
    std::size_t pending() const { return static_cast<std::size_t>(limit_ - position_); }

    std::uint64_t discarded() const { return discarded_; } // records thrown away by the probe
    std::uint64_t damaged() const { return damaged_; }     // stretches whose length was impossible
    std::uint64_t damaged_bytes() const { return damaged_bytes_; } // and how long they were

  private:
    BpfRing(os::Mapping consumer, os::Mapping producer, std::size_t page, std::size_t size);
    void skip_damage();

    os::Mapping consumer_; // one page, writable
    os::Mapping producer_; // producer page, data, the data's beginning again; read-only
    const std::byte* data_ = nullptr;
    std::size_t readable_ = 0; // bytes mapped from data_
    std::size_t size_ = 0;
    std::uint64_t position_ = 0; // next record
    std::uint64_t released_ = 0; // what the producer knows of position_
    std::uint64_t limit_ = 0;    // the snapshot
    std::uint64_t discarded_ = 0, damaged_ = 0, damaged_bytes_ = 0;
    std::uint32_t front_length_ = 0; // of the record at position_, if front() found one
    bool has_front_ = false;
};

} // namespace tiercel::ring
