// SPDX-License-Identifier: Apache-2.0
//
// Stream: the bytes of a capture in order, from a file or a pipe, plain or gzip. Holds a fixed
// buffer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "shared/os/unique_fd.h"

namespace tiercel::capture {

class Stream {
  public:
    explicit Stream(os::UniqueFd fd);
    ~Stream();
    Stream(Stream&&) noexcept;
    Stream& operator=(Stream&&) noexcept;

    // How many bytes were read: fewer than asked for at the end and where the data is damaged.
    std::size_t read(std::span<std::byte> out);
    bool skip(std::uint64_t bytes);
    // Bytes of the capture (unpacked) that have been given.
    std::uint64_t offset() const { return offset_; }
    // What went wrong in reading or unpacking; nullptr: nothing.
    const char* error() const { return error_; }

  private:
    struct Inflater;
    bool read_more();
    void start();
    bool unpack();
    os::UniqueFd fd_;
    std::unique_ptr<Inflater> state_;
    std::uint64_t offset_ = 0;
    const char* error_ = nullptr;
};

} // namespace tiercel::capture
