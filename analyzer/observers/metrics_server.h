// SPDX-License-Identifier: Apache-2.0
//
// MetricsServer: answers /metrics, /healthz and /readyz on a listening socket that the service
// manager passed to the analyzer. On a TCP port /metrics wants a token (bearer_token.h), because it
// tells which rules match; /healthz and /readyz want none, because they tell only whether the
// sensor works, and the names and states of its outputs.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "analyzer/observers/health.h"
#include "analyzer/observers/observer.h"
#include "analyzer/observers/readiness.h"
#include "analyzer/service/http_listener.h"
#include "analyzer/setup/config.h"

namespace tiercel::app {

class MetricsServer : public Observer {
  public:
    // Adds the metrics of the session's observers.
    using Collect = std::function<void(output::Metrics&)>;

    // Makes the page at /; empty: there is none.
    using Page = std::function<std::string(const output::Metrics&)>;

    // Returns null if no socket was passed. Takes max_drop_share and token_file from the settings.
    // Call before the sandbox.
    static os::Result<std::unique_ptr<MetricsServer>> make(const config::Settings& settings,
                                                           Collect collect, Page page);

    os::Result<void> attach(Session session) override;
    void add_needs(Needs& needs) const override { needs.listens = true; }
    void tick(const Tick& tick) override { lag_ns_ = tick.lag_ns; }

  private:
    MetricsServer(double max_drop_share, Collect collect, Page page)
        : max_drop_share_(max_drop_share), collect_(std::move(collect)), page_(std::move(page)) {}
    HttpListener::Answer answer(const HttpListener::Request& request);
    HttpListener::Answer health();
    HttpListener::Answer readiness();
    // Calls `use` with the metrics of this moment.
    template <typename Use>
    HttpListener::Answer with_metrics(Use use) const;
    std::optional<std::uint64_t> processes_made() const;
    std::optional<Health::Counts> counts() const;

    const double max_drop_share_;
    Collect collect_;
    std::optional<std::string> token_; // for a TCP port; "" refuses every request
    Page page_;
    std::optional<Session> session_;
    std::optional<HttpListener> listener_;
    os::UniqueFd statm_, stat_; // files of /proc, read again and again; invalid: not readable
    Health health_;
    Readiness readiness_;
    std::uint64_t begun_ns_ = 0, lag_ns_ = 0;
};

} // namespace tiercel::app
