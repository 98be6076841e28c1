// SPDX-License-Identifier: Apache-2.0
#include "analyzer/output/alerts/sinks/connect.h"
#include "analyzer/output/alerts/sinks/fd_sink.h"

namespace tiercel::alerts {

os::Result<std::unique_ptr<Sink>> open_unix_socket(const config::Settings& settings) {
    const std::string& path = settings.output(config::Output::unix_socket).target;
    auto fd = connect_unix("connect to the alert socket", path, SOCK_STREAM);
    if (!fd)
        return fd.error();
    return std::unique_ptr<Sink>(std::make_unique<StreamSink>("socket " + path, *std::move(fd)));
}

} // namespace tiercel::alerts
