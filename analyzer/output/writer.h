// SPDX-License-Identifier: Apache-2.0
//
// Writer writes lines to a file descriptor through one buffer, when the buffer is full or flush()
// is called. It allocates only for a line that is longer than all before.
#pragma once

#include <fmt/format.h>

#include <cstddef>

namespace tiercel::output {

// The buffer that all printers append to. The first KiB is in place; more is allocated once and
// kept.
using Buffer = fmt::basic_memory_buffer<char, 1024>;

class Writer {
  public:
    static constexpr std::size_t kFlushAt = 64 << 10;

    // The caller keeps ownership of `fd`, which must outlive this object.
    explicit Writer(int fd) : fd_(fd) { buffer_.reserve(kFlushAt + (8 << 10)); }
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    // Append whole lines here, then call line_done().
    Buffer& buffer() { return buffer_; }
    void line_done() {
        if (buffer_.size() >= kFlushAt)
            flush();
    }
    // Writes the buffer, and waits if the fd is non-blocking and full. Returns false after a
    // failure: then error() is its errno (EPIPE: the reader has closed; ENOSPC: the disk is full),
    // and the unwritten lines and all later ones are lost.
    bool flush();
    int error() const { return error_; }

  private:
    int fd_;
    int error_ = 0;
    Buffer buffer_;
};

} // namespace tiercel::output
