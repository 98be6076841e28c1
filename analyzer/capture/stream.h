// SPDX-License-Identifier: Apache-2.0
//
// Stream: the bytes of a capture in order, from a file or a pipe, plain or gzip. Holds a fixed
// buffer. It never blocks on a pipe: whoever reads has signals to look at.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "shared/os/unique_fd.h"

namespace tiercel::capture {

class Stream {
  public:
    // Before the sandbox.
    explicit Stream(os::UniqueFd fd);
    ~Stream();
    Stream(Stream&&) noexcept;
    Stream& operator=(Stream&&) noexcept;

    // How many bytes were read: fewer than asked for at the end, where the data is damaged, and
    // when there are no more for now.
    std::size_t read(std::span<std::byte> out);
    // The last read() gave less because a pipe has no more for now.
    bool waiting() const { return waiting_; }
    // Readable when a pipe has more. Lent; not valid where nothing is waited for, as with files.
    const os::UniqueFd& ready() const { return ready_; }
    // Bytes of the capture (unpacked) that have been given.
    std::uint64_t offset() const { return offset_; }
    // What went wrong in reading or unpacking; nullptr: nothing.
    const char* error() const { return error_; }

  private:
    struct Inflater;
    bool read_more();
    bool start();
    bool unpack();
    os::UniqueFd fd_;
    os::UniqueFd ready_; // an epoll set: asking it needs no call that the sandbox would not allow
    bool waiting_ = false;
    std::unique_ptr<Inflater> state_;
    std::uint64_t offset_ = 0;
    const char* error_ = nullptr;
};

} // namespace tiercel::capture
