// SPDX-License-Identifier: Apache-2.0
//
// Run: everything from the sandbox to the end: what a source gives goes through the pipeline until
// a signal, the end of the time or an observer says so.
#pragma once

#include "analyzer/observers/alerter.h"
#include "analyzer/observers/enrichment.h"
#include "analyzer/observers/event_printer.h"
#include "analyzer/observers/monitor.h"
#include "analyzer/observers/recording.h"
#include "analyzer/observers/status_line.h"
#include "analyzer/pipeline/pipeline.h"
#include "analyzer/service/loop.h"
#include "analyzer/service/notify.h"
#include "analyzer/service/sandbox.h"
#include "analyzer/setup/options.h"
#include "analyzer/source/source.h"

namespace tiercel::app {

class Run {
  public:
    // What takes events, besides the printer. nullptr: there are no rules, nothing is recorded.
    struct Takers {
        Alerter* alerter = nullptr;
        Recording* recording = nullptr;
    };
    // All are lent, and must outlive it.
    Run(const Options& options, Setup& setup, Pipeline& pipeline, Source& source, Takers takers);
    // The exit code; what went wrong has been said on stderr.
    int run();

  private:
    os::Result<Confinement> confine();
    os::Result<void> connect();
    std::size_t read();
    void enrich();
    void check_outputs();
    void report();
    int end();

    const Options& options_;
    config::Priority log_level_;
    Pipeline& pipeline_;
    Source& source_;
    Alerter* alerter_;
    Recording* recording_;
    std::optional<EventPrinter> printer_;
    output::Writer err_;
    Loop loop_;
    std::unique_ptr<Monitor> monitor_;
    std::unique_ptr<Enrichment> enrichment_; // nullptr: nobody is asked
    bool enrichment_ended_ = false;          // and that has been said
    std::optional<StatusLine> status_line_;
    Notify notify_;
    Confinement confinement_;
    std::uint64_t begun_ = 0;
};

} // namespace tiercel::app
