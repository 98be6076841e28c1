// SPDX-License-Identifier: Apache-2.0
//
// Recording: the captures that a session writes: all events (--record), and what happened around
// the alerts of rules with `capture: true` (the settings capture.*). Every file is open before the
// sandbox closes. When one cannot be written any more, that is said once, and the session goes on
// without it.
#pragma once

#include <memory>
#include <optional>

#include "analyzer/capture/alert_capture.h"
#include "analyzer/capture/recorder.h"
#include "analyzer/pipeline/pipeline.h"
#include "analyzer/setup/options.h"
#include "analyzer/setup/setup.h"

namespace tiercel::app {

class Recording {
  public:
    // Null: nothing is to be written. `setup` is lent.
    static os::Result<std::unique_ptr<Recording>> open(const Options& options, const Setup& setup);

    // From now on it observes. `machine` and `pipeline` are lent; the machine is looked at when the
    // first event comes, and later.
    void attach(Pipeline& pipeline, const capture::MachineInfo& machine);
    // Files are used again: that takes a call that the sandbox must allow.
    bool overwrites() const { return overwrites_; }
    // Brings what is recorded to the file, when that was not done for a second.
    void flush(std::uint64_t now_ns);
    // The end. False: not all that should be is in the files; why, has been said.
    bool finish(state::StateTracker& state);

  private:
    Recording(const Options& options, const Setup& setup) : options_(options), setup_(setup) {}
    os::Result<void> open_record();
    os::Result<void> open_captures();
    void arrive(const event::EventView& event, std::uint16_t cpu, Pipeline& pipeline);
    void match(const Pipeline::Event& event);
    void check(const os::Result<void>& result);

    const Options& options_;
    const Setup& setup_;
    std::optional<capture::FileRing> record_files_, capture_files_; // until attach()
    std::optional<capture::Recorder> recorder_;
    std::optional<capture::AlertCapture> captures_;
    bool overwrites_ = false;
    bool failed_ = false;
    std::uint64_t events_ = 0;
    std::uint64_t flushed_ns_ = 0;
};

} // namespace tiercel::app
