// SPDX-License-Identifier: Apache-2.0
//
// BpfRing reads one BPF ring buffer of the modern probe, the kernel module or the ptrace driver.
//
// The layout is the kernel's (kernel/bpf/ringbuf.c): a page with the consumer's position, which
// only the reader writes; a page with the producer's position; the data; and the data again, so
// that a record that wraps can be read in one piece. A record is a header of u32 length (bit 31:
// still being written, bit 30: thrown away) and u32 page offset, then the bytes, then padding up
// to 8. The kernel stores the producer's position after the header that it has passed, so below a
// position read with acquire every header is valid.
#pragma once

#include "analyzer/ring/ring.h"

namespace tiercel::ring {

class BpfRing final : public Ring {
  public:
    // Longest record that may wrap. Events are at most 64 KiB. The second copy of the data is
    // mapped this far only: the kernel maps ring pages at once, and each mapping of a page counts
    // as memory of this process, so two whole copies would count twice.
    static constexpr std::size_t kOverlap = 128 << 10;

    // Maps the ring behind `fd`, whose data area is `data_bytes` long (a power of two and a
    // multiple of the page size). The fd stays the caller's, who needs it for nothing but waiting.
    // Fails with EINVAL if the size is invalid, otherwise with mmap(2)'s error.
    static os::Result<BpfRing> map(const os::UniqueFd& fd, std::size_t data_bytes);

    std::optional<Bytes> front() override;
    bool resume(std::uint64_t done, bool pages) override;

  private:
    BpfRing(os::Mapping consumer, os::Mapping producer, std::size_t page, std::size_t size);

    os::Mapping consumer_; // one page, writable
    os::Mapping producer_; // producer page, data, the data's beginning again; read-only
    const std::byte* data_ = nullptr;
    std::size_t readable_ = 0; // bytes mapped from data_
};

} // namespace tiercel::ring
