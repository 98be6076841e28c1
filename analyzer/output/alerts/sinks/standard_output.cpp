// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>

#include "analyzer/output/alerts/sinks/fd_sink.h"

namespace tiercel::alerts {

os::Result<std::unique_ptr<Sink>> open_standard_output(const config::Settings&) {
    os::UniqueFd fd(fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3));
    if (!fd.valid())
        return os::error("use standard output");
    return std::unique_ptr<Sink>(std::make_unique<StreamSink>("stdout", std::move(fd)));
}

} // namespace tiercel::alerts
