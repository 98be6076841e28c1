// SPDX-License-Identifier: Apache-2.0
#include "analyzer/output/alerts/sinks/connected_sink.h"

namespace tiercel::alerts {

namespace {

// One datagram a line, in the form of RFC 3164 that syslogd and journald read. The socket is
// connected, so that no other address can be written to from inside the sandbox.
class SyslogSink : public ConnectedSink {
  public:
    using ConnectedSink::ConnectedSink;

  private:
    std::string text_of(const Line& line) const override {
        constexpr int kFacilityUser = 1 << 3;
        const std::time_t now = std::time(nullptr);
        std::tm parts{};
        localtime_r(&now, &parts);
        char when[32];
        strftime(when, sizeof when, "%b %e %T", &parts);
        return '<' + std::to_string(kFacilityUser | static_cast<int>(line.priority)) + '>' + when +
               " tiercel[" + std::to_string(getpid()) + "]: " + line.text;
    }
};

} // namespace

// The local syslogd or journald listens on /dev/log; tests name another socket.
os::Result<std::unique_ptr<Sink>> open_syslog(const config::Settings& settings) {
    const std::string& target = settings.output(config::Output::syslog).target;
    auto connector = Connector::start(target.empty() ? "/dev/log" : target, SOCK_DGRAM);
    if (!connector)
        return connector.error();
    return std::unique_ptr<Sink>(std::make_unique<SyslogSink>("syslog", *std::move(connector)));
}

} // namespace tiercel::alerts
