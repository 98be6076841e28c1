// SPDX-License-Identifier: Apache-2.0
//
// RuleReload: reads the rule files again on SIGHUP, and puts the new rules in force without losing
// events. A helper process (service/helper_process.h) reads the files, because the sandbox forbids
// opening them. If the new rules have an error, it is printed, and the old rules stay in force.
#pragma once

#include <functional>
#include <memory>

#include "analyzer/observers/observer.h"
#include "analyzer/service/helper_process.h"
#include "analyzer/setup/detection.h"

namespace tiercel::app {

class RuleReload : public Observer {
  public:
    // Is called after new rules have come into force.
    using Replaced = std::function<void()>;
    // Sends an internal alert.
    using Warn = std::function<void(const std::string& what, const std::string& message)>;

    // Starts the helper process, so call it before the sandbox and before any thread. `config` and
    // `detection` must outlive the object.
    static os::Result<std::unique_ptr<RuleReload>> make(const Config& config, Detection& detection,
                                                        Replaced replaced, Warn warn);

    os::Result<void> attach(Session session) override;
    void reopen() override;
    void add_metrics(output::Metrics& metrics) const override {
        metrics.reloads_refused += refused_;
    }

  private:
    RuleReload(const Config& config, Detection& detection, Replaced replaced, Warn warn,
               HelperProcess helper)
        : config_(config), detection_(detection), replaced_(std::move(replaced)),
          warn_(std::move(warn)), helper_(std::move(helper)) {}
    void take(std::string_view message);
    void refuse(const std::string& errors);
    void capture_what_is_new();

    const Config& config_;
    Detection& detection_;
    Replaced replaced_;
    Warn warn_;
    HelperProcess helper_;
    Pipeline* pipeline_ = nullptr;
    Source* source_ = nullptr;
    std::uint64_t refused_ = 0;
};

} // namespace tiercel::app
