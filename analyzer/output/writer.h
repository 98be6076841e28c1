// SPDX-License-Identifier: Apache-2.0
//
// Writer: lines to a file descriptor through one buffer that is written when it is full or when
// flush() says so. It allocates only when a line is longer than any before.
#pragma once

#include <cstddef>
#include <fmt/format.h>

namespace tiercel::output {

// What everything is printed into: 1 KiB is in place, the rest grows once and stays.
using Buffer = fmt::basic_memory_buffer<char, 1024>;

class Writer {
  public:
    static constexpr std::size_t kFlushAt = 64 << 10;

    // Lent: the fd stays the caller's and must outlive the writer.
    explicit Writer(int fd) : fd_(fd) { buffer_.reserve(kFlushAt + (8 << 10)); }
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    // Append whole lines here, then call line_done().
    Buffer& buffer() { return buffer_; }
    void line_done() {
        if (buffer_.size() >= kFlushAt)
            flush();
    }
    // Writes everything; waits where the fd is non-blocking and full. False after a failure: then
    // error() is its errno (EPIPE: nobody reads any more; ENOSPC: disk full), what was not
    // written is lost, and so is whatever comes later.
    bool flush();
    int error() const { return error_; }

  private:
    int fd_;
    int error_ = 0;
    Buffer buffer_;
};

} // namespace tiercel::output
