// SPDX-License-Identifier: Apache-2.0
//
// Stream reads the bytes of a capture from a file or a pipe, plain or gzip, through fixed buffers.
// It never blocks on a pipe, because its caller must handle signals.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "shared/os/unique_fd.h"

namespace tiercel::capture {

class Stream {
  public:
    // Construct it before entering the sandbox, which forbids epoll_create1.
    explicit Stream(os::UniqueFd fd);
    ~Stream();
    Stream(Stream&&) noexcept;
    Stream& operator=(Stream&&) noexcept;

    // Returns how many bytes it has read. They are fewer than `out` has room for at the end, at
    // damage, and while a pipe has no more data.
    std::size_t read(std::span<std::byte> out);
    // Whether the last read() fell short because a pipe has no more data yet.
    bool waiting() const { return waiting_; }
    // Becomes readable when a pipe has more data; invalid for files. This object keeps ownership.
    const os::UniqueFd& ready() const { return ready_; }
    // Unpacked bytes that read() has returned so far.
    std::uint64_t offset() const { return offset_; }
    // Why reading or unpacking has failed; nullptr if it has not.
    const char* error() const { return error_; }

  private:
    struct Inflater;
    bool read_more();
    bool start();
    bool unpack();
    os::UniqueFd fd_;
    os::UniqueFd ready_; // an epoll set, because the sandbox allows epoll_wait but not poll
    bool waiting_ = false;
    std::unique_ptr<Inflater> state_;
    std::uint64_t offset_ = 0;
    const char* error_ = nullptr;
};

} // namespace tiercel::capture
