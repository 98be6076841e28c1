// SPDX-License-Identifier: Apache-2.0
//
// EventPrinter: prints events on standard output, one a line (--events).
#pragma once

#include "analyzer/observers/observer.h"
#include "analyzer/output/event_json.h"
#include "analyzer/output/event_line.h"
#include "analyzer/setup/detection.h"
#include "analyzer/setup/selection.h"

namespace tiercel::app {

class EventPrinter : public Observer {
  public:
    // Loads the time zone, so construct it before the sandbox. Both must outlive this object.
    EventPrinter(const Config& config, Detection& detection);

    os::Result<void> attach(Session session) override;
    unsigned wants() const override { return every_event; }
    void on_event(const Pipeline::Event& event) override;
    void tick(const Tick&) override;
    void report(output::Buffer& out) const override;
    Outcome end() override;

  private:
    const Config& config_;
    Detection& detection_;
    Pipeline* pipeline_ = nullptr;
    const Selection selection_;
    output::Writer out_;
    output::EventLine line_;
    output::EventJson json_;
    std::uint64_t shown_ = 0;
};

} // namespace tiercel::app
