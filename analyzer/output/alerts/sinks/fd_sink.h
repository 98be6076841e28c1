// SPDX-License-Identifier: Apache-2.0
//
// FdSink: writes lines to one file descriptor. SIGPIPE must be ignored.
#pragma once

#include <unistd.h>

#include <cerrno>
#include <ctime>

#include "analyzer/output/alerts/sink.h"
#include "shared/os/unique_fd.h"

namespace tiercel::alerts {

// Writes `text`, in as many pieces as it takes, and removes from it what is written. Returns false,
// with the reason in errno, if a write fails.
inline bool write_all(int fd, std::string_view& text) {
    while (!text.empty()) {
        const ssize_t written = ::write(fd, text.data(), text.size());
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0 && errno == EAGAIN) { // another process made the terminal or pipe so
            const timespec pause{0, 1'000'000};
            nanosleep(&pause, nullptr);
            continue;
        }
        if (written <= 0)
            return false;
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

class FdSink : public Sink {
  public:
    FdSink(std::string name, os::UniqueFd fd) : name_(std::move(name)), fd_(std::move(fd)) {}
    std::string name() const override { return name_; }
    // The line and its end go in one write, so that lines of several writers do not mix. If only a
    // part could be written, the next attempt goes on from there.
    bool write(const Line& line) override {
        if (rest_.empty()) {
            buffer_.assign(line.text);
            buffer_ += '\n';
            rest_ = buffer_;
        }
        return send(rest_);
    }

  protected:
    virtual bool send(std::string_view& text) { return write_all(fd_.get(), text); }
    std::string name_;
    os::UniqueFd fd_;

  private:
    std::string buffer_;
    std::string_view rest_; // of `buffer_`, which is still to be written
};

// A stream that ends for good with the first failed write: standard output, a program.
class StreamSink : public FdSink {
  public:
    using FdSink::FdSink;
    int gone() const override { return gone_; }

  private:
    bool send(std::string_view& text) override {
        if (gone_ == 0 && !write_all(fd_.get(), text))
            gone_ = errno;
        errno = gone_;
        return gone_ == 0;
    }
    int gone_ = 0;
};

} // namespace tiercel::alerts
