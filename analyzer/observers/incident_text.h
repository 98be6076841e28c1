// SPDX-License-Identifier: Apache-2.0
//
// IncidentText: prints the steps of a timeline as they happen (--timeline), or the process tree at
// the end (--tree).
#pragma once

#include "analyzer/observers/observer.h"
#include "analyzer/report/text.h"
#include "analyzer/setup/detection.h"

namespace tiercel::app {

class IncidentText : public Observer {
  public:
    // Loads the time zone, so construct it before the sandbox. Both must outlive the object.
    IncidentText(const Config& config, Detection& detection);

    os::Result<void> attach(Session session) override;
    unsigned wants() const override { return every_event; }
    void on_event(const Pipeline::Event& event) override;
    void tick(const Tick&) override;
    Outcome end() override;

  private:
    const Config& config_;
    report::Summary summary_;
    report::TextStyle style_;
    output::Writer out_;
    Pipeline* pipeline_ = nullptr;
    std::uint64_t steps_ = 0;
};

} // namespace tiercel::app
