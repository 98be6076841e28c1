// SPDX-License-Identifier: Apache-2.0
//
// RingWriter: the producer's end of a ring in ordinary memory, in the layout of a BPF ring buffer:
// a page with the consumer's position, a page with the producer's, the data. The kernel maps the
// data twice in a row. Here no record wraps instead: a discarded record fills the rest before the
// end.
//
// Another process writes the consumer's page, and may be hostile. Only the free room is computed
// from it, and an impossible position counts as a full ring.
#pragma once

#include <cstdint>
#include <span>

#include "shared/os/mapping.h"

namespace tiercel::ptrace {

class RingWriter {
  public:
    // Makes a ring with `data_bytes` of data, a power of two and a multiple of the page size.
    static os::Result<RingWriter> create(std::size_t data_bytes);

    // The memory to pass on; its size is sealed. The ring keeps ownership.
    [[nodiscard]] const os::UniqueFd& fd() const { return fd_; }

    // Puts an event and the trailer that names its CPU. Returns false if there is no room.
    bool write(std::span<const std::byte> event, std::uint16_t cpu);

    // Bytes that the reader has not taken yet, at most the size of the data.
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
