// SPDX-License-Identifier: Apache-2.0
//
// TopPage: a page of rates on the terminal, drawn anew each second (--top).
#pragma once

#include "analyzer/observers/observer.h"
#include "analyzer/output/top.h"

namespace tiercel::app {

class TopPage : public Observer {
  public:
    TopPage();

    os::Result<void> attach(Session session) override;
    unsigned wants() const override { return every_event | every_match; }
    void on_event(const Pipeline::Event& event) override;
    void on_match(const Pipeline::Event& event) override;
    void tick(const Tick& tick) override { lag_ns_ = tick.lag_ns; }
    // Leaves the last page on the terminal, with the cursor below it.
    Outcome end() override;

  private:
    void draw(const Session& session);

    const Pipeline* pipeline_ = nullptr;
    output::Top top_;
    output::TerminalSize size_;
    output::Writer out_;
    std::uint64_t lag_ns_ = 0;
};

} // namespace tiercel::app
