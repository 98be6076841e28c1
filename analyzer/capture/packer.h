// SPDX-License-Identifier: Apache-2.0
//
// Packer: bytes to a file, plain or gzip, through a buffer. The opposite of Stream.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "shared/os/result.h"

namespace tiercel::capture {

enum class Packing : std::uint8_t { plain, gzip };

class Packer {
  public:
    // `fd` is lent, may be a pipe, and must be blocking.
    Packer(int fd, Packing packing);
    ~Packer();
    Packer(Packer&&) noexcept;
    Packer& operator=(Packer&&) noexcept;

    // After a failure, which flush() and finish() return again, nothing more is written.
    os::Result<void> write(std::span<const std::byte> bytes);
    // Everything so far can be read from the file afterwards. Packed, that costs some bytes.
    os::Result<void> flush();
    // The end: what is still buffered, and the trailer of a packed file.
    os::Result<void> finish();
    // Bytes given to the file.
    std::uint64_t written() const { return written_; }

  private:
    struct Deflater;
    os::Result<void> drain(std::span<const std::byte> bytes);
    os::Result<void> deflate_buffer(int mode);
    os::Result<void> push(int mode);

    int fd_;
    std::vector<std::byte> buffer_;      // not packed yet
    std::unique_ptr<Deflater> deflater_; // null: plain
    std::uint64_t written_ = 0;
    int error_ = 0;
};

} // namespace tiercel::capture
