// SPDX-License-Identifier: Apache-2.0
//
// RingWriter: the producer's end of a ring in ordinary memory, in the layout that readers of BPF
// ring buffers know: a page with the consumer's position, a page with the producer's, the data. The
// kernel maps the data twice in a row; here no record wraps instead: what does not fit before the
// end is filled with a discarded record, and the memory object is only long enough for the mapping.
//
// The consumer's page is another process's to write, and hostile: nothing but the free room is
// taken from it, and a position that cannot be counts as a full ring.
#pragma once

#include "shared/os/mapping.h"

#include <cstdint>
#include <span>

namespace tiercel::ptrace {

class RingWriter {
  public:
    // A new ring whose data area has `data_bytes`, a power of two and multiple of the page size.
    static os::Result<RingWriter> create(std::size_t data_bytes);

    // For the reader, who may map it and cannot change its size. Stays the ring's.
    [[nodiscard]] const os::UniqueFd& fd() const { return fd_; }

    // Puts an event and the trailer that names its CPU. False: there is no room, nothing was put.
    bool write(std::span<const std::byte> event, std::uint16_t cpu);

    // Bytes that the reader has not taken yet, as far as it can be believed.
    [[nodiscard]] std::size_t pending() const;
    [[nodiscard]] std::size_t size() const { return size_; }

  private:
    RingWriter(os::UniqueFd fd, os::Mapping mapping, std::size_t size);
    void put_header(std::uint32_t word);

    os::UniqueFd fd_;
    os::Mapping mapping_;
    std::byte* data_ = nullptr;
    std::size_t size_ = 0;
    std::uint64_t position_ = 0; // never read back from the shared page
};

} // namespace tiercel::ptrace
