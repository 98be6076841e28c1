// SPDX-License-Identifier: Apache-2.0
//
// RecentAlerts keeps the last alerts for the live page (metrics.page).
#pragma once

#include <deque>

#include "analyzer/fields/format.h"
#include "analyzer/observers/observer.h"
#include "analyzer/report/live_page.h"
#include "analyzer/setup/detection.h"

namespace tiercel::app {

class RecentAlerts : public Observer {
  public:
    static constexpr std::size_t kMost = 100, kMostMessage = 1000;

    // `detection.rules` must not be null. It must outlive the object.
    explicit RecentAlerts(Detection& detection) : detection_(detection) { on_rules(); }

    unsigned wants() const override { return every_match; }
    void on_match(const Pipeline::Event& event) override;
    void on_rules() override;

    std::string page(const output::Metrics& metrics) const;

  private:
    Detection& detection_;
    std::vector<filter::Format> outputs_; // by filter::RuleId
    std::deque<report::RecentAlert> alerts_;
};

} // namespace tiercel::app
