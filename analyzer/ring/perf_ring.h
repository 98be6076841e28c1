// SPDX-License-Identifier: Apache-2.0
//
// PerfRing reads one perf buffer of the classic probe, which has one for each CPU.
//
// The layout is the kernel's (include/uapi/linux/perf_event.h, struct perf_event_mmap_page): a page
// that holds both positions, then the data. All is mapped for writing, because otherwise the kernel
// overwrites records that were not read. The data is mapped once, so a record that wraps is copied.
// A record is a header of u32 type, u16 flags and u16 size, of a multiple of 8. That of a sample is
// followed by u32 length and bytes: an event, its trailer, and what pads them. One of type LOST
// says how many samples found no room; the probe counts these as well.
#pragma once

#include <memory>

#include "analyzer/ring/ring.h"

namespace tiercel::ring {

class PerfRing final : public Ring {
  public:
    // Maps the buffer behind `fd`, which privd has mapped with the same size, as long as privd
    // holds its own mapping: the kernel then charges this process nothing. `data_bytes` is a power
    // of two and a multiple of the page size. The fd stays the caller's, who needs it for nothing
    // but waiting. EINVAL: no such size; otherwise mmap(2)'s error.
    static os::Result<PerfRing> map(const os::UniqueFd& fd, std::size_t data_bytes);

    std::optional<Bytes> front() override;
    // A perf buffer ends with the process that has it mapped, so that none is resumed.
    bool resume(std::uint64_t, bool) override { return false; }

  private:
    PerfRing(os::Mapping mapping, std::size_t page, std::size_t size);
    // `bytes` bytes at position_ + `at`, in place or, if they wrap, as a copy in joined_.
    const std::byte* piece(std::size_t at, std::size_t bytes);

    os::Mapping mapping_;
    const std::byte* data_ = nullptr;
    std::unique_ptr<std::byte[]> joined_; // the copy of a record that wraps
};

} // namespace tiercel::ring
