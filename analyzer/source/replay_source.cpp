// SPDX-License-Identifier: Apache-2.0
#include "analyzer/source/replay_source.h"

#include <fcntl.h>
#include <unistd.h>

namespace tiercel::app {

os::Result<ReplaySource> ReplaySource::open(const std::string& path, Pipeline& pipeline) {
    os::UniqueFd fd(path == "-" ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)
                                : ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
    if (!fd.valid())
        return os::error("open the capture", path);
    posix_fadvise(fd.get(), 0, 0, POSIX_FADV_SEQUENTIAL); // a pipe refuses, and needs it not
    return ReplaySource(std::move(fd), pipeline);
}

std::size_t ReplaySource::read() {
    for (std::size_t i = 0; i < kBatch; ++i) {
        const auto got = reader_.next();
        if (!got && reader_.waiting())
            return 0; // the loop looks at signals, and is woken when the pipe has more
        if (!got || !pipeline_.take(got->view, got->cpu)) {
            pipeline_.stop();
            break;
        }
    }
    return kBatch;
}

} // namespace tiercel::app
