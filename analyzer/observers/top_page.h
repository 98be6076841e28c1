// SPDX-License-Identifier: Apache-2.0
//
// TopPage: rates each second (--top): a page on a terminal, which keys change, or lines in a pipe.
// If a courier runs, the page has a line for each of its destinations.
#pragma once

#include <memory>
#include <optional>

#include "analyzer/observers/observer.h"
#include "analyzer/observers/top_keys.h"
#include "analyzer/output/alerts/sink.h"
#include "analyzer/output/top.h"
#include "analyzer/setup/config.h"

namespace tiercel::app {

class TopPage : public Observer {
  public:
    // Call before the sandbox and before any thread, because it may start a process (top_keys.h).
    static os::Result<std::unique_ptr<TopPage>> make(const Config& config);

    os::Result<void> attach(Session session) override;
    unsigned wants() const override { return every_event | every_match; }
    void on_event(const Pipeline::Event& event) override;
    void on_match(const Pipeline::Event& event) override;
    void tick(const Tick& tick) override { lag_ns_ = tick.lag_ns; }
    // Leaves the last page on the terminal, with the cursor below it.
    Outcome end() override;

  private:
    TopPage(std::optional<TopKeys> keys, std::unique_ptr<alerts::Sink> courier);
    void take_second(const Session& session);
    void ask_courier();
    void draw();

    const Pipeline* pipeline_ = nullptr;
    const std::optional<TopKeys> keys_;           // nothing: no key changes the page
    const bool is_page_;                          // standard output is a terminal
    const std::unique_ptr<alerts::Sink> courier_; // which gets no alerts; null: there is none
    output::Top top_;
    output::Top::View view_;
    output::TerminalSize size_;
    output::Writer out_;
    std::uint64_t lag_ns_ = 0;
};

} // namespace tiercel::app
