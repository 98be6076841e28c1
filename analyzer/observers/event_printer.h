// SPDX-License-Identifier: Apache-2.0
//
// EventPrinter: an observer that shows events on standard output, one a line.
#pragma once

#include "analyzer/output/event_json.h"
#include "analyzer/output/event_line.h"
#include "analyzer/pipeline/pipeline.h"
#include "analyzer/setup/options.h"
#include "analyzer/setup/selection.h"
#include "analyzer/setup/setup.h"

namespace tiercel::app {

class EventPrinter {
  public:
    // Loads the time zone: make it before the sandbox. Both must outlive it.
    EventPrinter(const Options& options, Setup& setup);

    // Shows the event if it was asked for. False: it was the last, or nobody reads any more.
    bool show(const Pipeline::Event& event);
    // Writes out what was shown. False as above.
    bool flush() { return out_.flush(); }
    // errno of the write that failed; 0: none did.
    int error() const { return out_.error(); }
    std::uint64_t shown() const { return shown_; }

  private:
    const Options& options_;
    Setup& setup_;
    const Selection selection_;
    output::Writer out_;
    output::EventLine line_;
    output::EventJson json_;
    std::uint64_t shown_ = 0;
};

} // namespace tiercel::app
