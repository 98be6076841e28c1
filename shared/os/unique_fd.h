// SPDX-License-Identifier: Apache-2.0
//
// UniqueFd: an owned file descriptor. Lend it as `const UniqueFd&`, give it away by value.
// It converts to nothing by itself: fd 0 is a valid fd, so a test for truth would be a trap.
#pragma once

#include <unistd.h>

#include <cerrno>
#include <utility>

namespace tiercel::os {

class UniqueFd {
  public:
    UniqueFd() = default;
    explicit UniqueFd(int fd) : fd_(fd) {}
    UniqueFd(UniqueFd&& other) noexcept : fd_(other.release()) {}
    UniqueFd& operator=(UniqueFd&& other) noexcept {
        reset(other.release());
        return *this;
    }
    ~UniqueFd() { reset(); }

    [[nodiscard]] int get() const { return fd_; }
    [[nodiscard]] bool valid() const { return fd_ >= 0; }
    [[nodiscard]] int release() { return std::exchange(fd_, -1); }

    // Closes what was owned; errno is left as it was, so that cleaning up cannot hide a failure.
    void reset(int fd = -1) {
        int saved = errno;
        if (int old = std::exchange(fd_, fd); old >= 0)
            close(old);
        errno = saved;
    }

  private:
    int fd_ = -1;
};

} // namespace tiercel::os
