// SPDX-License-Identifier: Apache-2.0
//
// DropWatch: looks each second whether the probe has dropped events, and acts above a threshold
// (the keys syscall_event_drops.*, which mean what they mean in Falco).
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "analyzer/observers/observer.h"
#include "analyzer/output/alerts/alert.h"
#include "analyzer/output/alerts/token_bucket.h"
#include "analyzer/setup/config.h"

namespace tiercel::app {

class DropWatch : public Observer {
  public:
    using Fields = std::vector<std::pair<std::string, alerts::FieldValue>>;
    // Sends an internal alert to every output. Empty: the session has no outputs.
    using Warn =
        std::function<void(const std::string& what, const std::string& message, Fields fields)>;

    DropWatch(const config::Settings& settings, Warn warn);

    os::Result<void> attach(Session session) override;
    Outcome end() override { return failed_ ? Outcome::failed : Outcome::good; }

    // What happened in the last second.
    struct Second {
        std::uint64_t events = 0, drops = 0; // seen by the probe, and dropped by it
        std::uint64_t ring_full = 0;         // dropped because a ring was full
    };
    // Returns whether the actions were due and permitted by the rate.
    bool judge(const Second& second, std::uint64_t now_ns);

  private:
    void look(const Session& session);
    void act(const Second& second);

    const config::Settings& settings_;
    Warn warn_;
    alerts::TokenBucket bucket_;
    Second last_; // since the session began
    bool failed_ = false;
};

} // namespace tiercel::app
