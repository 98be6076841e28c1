// SPDX-License-Identifier: Apache-2.0
#include "analyzer/output/writer.h"

#include <unistd.h>

#include <cerrno>
#include <ctime>

namespace tiercel::output {

bool Writer::flush() {
    std::size_t done = 0;
    while (error_ == 0 && done < buffer_.size()) {
        const ssize_t wrote = write(fd_, buffer_.data() + done, buffer_.size() - done);
        if (wrote >= 0) {
            done += static_cast<std::size_t>(wrote);
        } else if (errno == EAGAIN) {
            // Another process has made the terminal or pipe non-blocking. The sandbox forbids
            // poll(2).
            const timespec pause{0, 1'000'000};
            nanosleep(&pause, nullptr);
        } else if (errno != EINTR) {
            error_ = errno;
        }
    }
    buffer_.clear();
    return error_ == 0;
}

} // namespace tiercel::output
