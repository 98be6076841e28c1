// SPDX-License-Identifier: Apache-2.0
//
// Packer writes bytes to a file through a buffer, plain or with gzip. Stream reads them.
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
    // The caller keeps ownership of `fd`, which may be a pipe and must be blocking.
    Packer(int fd, Packing packing);
    ~Packer();
    Packer(Packer&&) noexcept;
    Packer& operator=(Packer&&) noexcept;

    // After a failure nothing more is written, and every call returns the same error.
    os::Result<void> write(std::span<const std::byte> bytes);
    // Makes all bytes so far readable from the file. With gzip this costs some bytes.
    os::Result<void> flush();
    // Writes the buffered rest and the trailer of a gzip file.
    os::Result<void> finish();
    // Bytes written to the file.
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
