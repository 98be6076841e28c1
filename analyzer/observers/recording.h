// SPDX-License-Identifier: Apache-2.0
//
// Recording: the captures that a session writes: all events (--record), and the events around
// alerts of rules with `capture: true` (the keys capture.*). Every file is opened before the
// sandbox. If a file cannot be written any more, a message says so once, and the session goes on
// without recording.
#pragma once

#include <memory>
#include <optional>

#include "analyzer/capture/alert_capture.h"
#include "analyzer/capture/recorder.h"
#include "analyzer/observers/observer.h"
#include "analyzer/setup/detection.h"

namespace tiercel::app {

class Recording : public Observer {
  public:
    // Returns null if the configuration asks for no recording. `config` and `detection` must
    // outlive the object.
    static os::Result<std::unique_ptr<Recording>> open(const Config& config,
                                                       const Detection& detection);

    os::Result<void> attach(Session session) override;
    unsigned wants() const override {
        return captures_ ? every_arrival | every_match : every_arrival;
    }
    void add_needs(Needs& needs) const override;
    void on_arrival(const event::EventView& event, std::uint16_t cpu) override;
    void on_match(const Pipeline::Event& event) override;
    // Flushes the recorded events to the file once a second.
    void tick(const Tick& tick) override;
    Outcome end() override;
    // Returns the path of the capture around the present alert of that rule; empty: there is none.
    // Call it after on_match().
    std::string_view capture_of(filter::RuleId rule) const;

  private:
    Recording(const Config& config, const Detection& detection)
        : config_(config), detection_(detection) {}
    os::Result<void> open_record();
    os::Result<void> open_captures();
    void check(const os::Result<void>& result);

    const Config& config_;
    const Detection& detection_;
    Pipeline* pipeline_ = nullptr;
    std::optional<capture::FileRing> record_files_, capture_files_; // until attach()
    std::optional<capture::Recorder> recorder_;
    std::optional<capture::AlertCapture> captures_;
    bool overwrites_ = false; // a full file is overwritten
    bool failed_ = false;
    std::uint64_t events_ = 0;
    std::uint64_t flushed_ns_ = 0;
};

} // namespace tiercel::app
