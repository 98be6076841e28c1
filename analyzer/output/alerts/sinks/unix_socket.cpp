// SPDX-License-Identifier: Apache-2.0
#include "analyzer/output/alerts/sinks/connected_sink.h"

namespace tiercel::alerts {

os::Result<std::unique_ptr<Sink>> open_unix_socket(const config::Settings& settings) {
    const std::string& path = settings.output(config::Output::unix_socket).target;
    auto connector = Connector::start(path, SOCK_STREAM);
    if (!connector)
        return connector.error();
    return std::unique_ptr<Sink>(
        std::make_unique<ConnectedSink>("socket " + path, *std::move(connector)));
}

} // namespace tiercel::alerts
