// SPDX-License-Identifier: Apache-2.0
#include "analyzer/output/alerts/sinks/connect.h"
#include "analyzer/output/alerts/sinks/fd_sink.h"

namespace tiercel::alerts {

namespace {

// One datagram a line, in the form of RFC 3164 that syslogd and journald read. The socket is
// connected, so that no other address can be written to from inside the sandbox.
class SyslogSink : public Sink {
  public:
    explicit SyslogSink(os::UniqueFd fd) : fd_(std::move(fd)) {}
    std::string name() const override { return "syslog"; }
    bool write(std::string_view line, config::Priority priority) override {
        constexpr int kFacilityUser = 1 << 3;
        const std::time_t now = std::time(nullptr);
        std::tm parts{};
        localtime_r(&now, &parts);
        char when[32];
        strftime(when, sizeof when, "%b %e %T", &parts);
        std::string text = '<' + std::to_string(kFacilityUser | static_cast<int>(priority)) + '>' +
                           when + " tiercel[" + std::to_string(getpid()) + "]: ";
        text += line;
        return ::write(fd_.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
    }

  private:
    os::UniqueFd fd_;
};

} // namespace

// The local syslogd or journald listens on /dev/log; tests name another socket.
os::Result<std::unique_ptr<Sink>> open_syslog(const config::Settings& settings) {
    const std::string& target = settings.output(config::Output::syslog).target;
    auto fd =
        connect_unix("connect to syslog at", target.empty() ? "/dev/log" : target, SOCK_DGRAM);
    if (!fd)
        return fd.error();
    return std::unique_ptr<Sink>(std::make_unique<SyslogSink>(*std::move(fd)));
}

} // namespace tiercel::alerts
