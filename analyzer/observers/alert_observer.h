// SPDX-License-Identifier: Apache-2.0
//
// AlertObserver: makes alerts of matches and gives them to the outputs.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "analyzer/observers/observer.h"
#include "analyzer/output/alerts/dispatcher.h"
#include "analyzer/output/alerts/fold.h"
#include "analyzer/output/alerts/template.h"
#include "analyzer/output/alerts/token_bucket.h"
#include "analyzer/setup/detection.h"

namespace tiercel::app {

class AlertObserver : public Observer {
  public:
    // Opens every enabled output and starts the alert program. `detection.rules` must not be null.
    static os::Result<std::unique_ptr<AlertObserver>> open(const Config& config,
                                                           Detection& detection);

    os::Result<void> attach(Session session) override;
    unsigned wants() const override { return every_match; }
    void add_needs(Needs& needs) const override;
    // Starts a thread for each output.
    void start() override;
    void on_match(const Pipeline::Event& event) override;
    // Prints at once that an output has begun to fail; stops the session if every output has gone.
    void tick(const Tick& tick) override;
    void report(output::Buffer& out) const override;
    void add_metrics(output::Metrics& metrics) const override;
    void reopen() override { dispatcher_.reopen(); }
    void on_rules() override;
    // Waits some seconds until every alert is written.
    Outcome end() override;

    // Returns the path of the capture around an alert of that rule; empty: there is none.
    using CaptureOf = std::function<std::string_view(filter::RuleId)>;
    void set_captures(CaptureOf capture_of) { capture_of_ = std::move(capture_of); }

    // Sends an internal alert: dispatcher.h.
    void warn(const std::string& what, const std::string& message,
              std::vector<std::pair<std::string, alerts::FieldValue>> fields) {
        dispatcher_.warn(what, message, std::move(fields));
    }

  private:
    AlertObserver(const Config& config, Detection& detection);
    os::Result<void> prepare_fold(const Config& config);
    // Returns whether the match is folded into an alert before it; otherwise, the key is in `key_`.
    bool is_folded(filter::RuleId id, const Pipeline::Event& event);
    void end_windows(std::uint64_t ns);
    bool all_gone() const;
    void say_failures();
    void say_losses() const;

    Detection& detection_;
    std::vector<alerts::AlertTemplate> templates_;     // by filter::RuleId
    std::vector<std::unique_ptr<alerts::Sink>> sinks_; // until start()
    alerts::Dispatcher dispatcher_;
    std::optional<alerts::TokenBucket> bucket_; // outputs.rate; nothing: no limit
    CaptureOf capture_of_;                      // empty: alerts have no captures
    std::optional<alerts::Fold> fold_;          // outputs.fold; nothing: alerts are not folded
    std::optional<filter::Format> fold_fields_; // the fields of outputs.fold.by
    bool fold_by_rule_ = false;
    std::string key_;
    bool live_; // windows end by the clock; in a replay, by the events' times
    Pipeline* pipeline_ = nullptr;
    struct Said {
        std::uint64_t failed = 0; // as of the last message
        bool failing = false;
    };
    std::vector<Said> said_; // by output
    std::uint64_t next_look_ns_ = 0;
    std::uint64_t limit_; // stop after this many alerts; 0: no limit
    std::uint64_t alerts_ = 0;
    std::uint64_t suppressed_ = 0; // by outputs.rate
};

} // namespace tiercel::app
