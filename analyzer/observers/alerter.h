// SPDX-License-Identifier: Apache-2.0
//
// Alerter: an observer of matches that makes alerts of them and hands them to the outputs.
#pragma once

#include <memory>
#include <vector>

#include "analyzer/output/alerts/dispatcher.h"
#include "analyzer/output/alerts/template.h"
#include "analyzer/output/writer.h"
#include "analyzer/pipeline/pipeline.h"
#include "analyzer/setup/setup.h"

namespace tiercel::app {

class Alerter {
  public:
    // Opens every output that the settings name, and starts the alert program: before the sandbox.
    // `setup.rules` is not null. `limit`: alerts after which the last is reached; 0: none.
    static os::Result<std::unique_ptr<Alerter>> open(Setup& setup, std::uint64_t limit);

    // Starts a thread for each output: enter_sandbox() says when.
    void start();
    // Directories that reopen() will make files in. Lent.
    std::vector<int> writable() const;

    // False: it was the last.
    bool alert(const Pipeline::Event& event);
    void reopen() { dispatcher_.reopen(); }
    // Waits until all is written, for some seconds at most.
    void drain();

    // Whether no output is left that could be written to.
    bool gone() const;
    // errno of standard output, if that is the only output and it is gone; else 0.
    int stdout_error() const;

    // What each output took and lost, one line each.
    void append_statistics(output::Buffer& out) const;
    std::vector<alerts::Dispatcher::Output> outputs() const { return dispatcher_.outputs(); }
    std::uint64_t alerts() const { return alerts_; }

  private:
    Alerter(const config::Settings& settings, std::uint64_t limit);

    std::vector<alerts::AlertTemplate> templates_;     // by filter::RuleId
    std::vector<std::unique_ptr<alerts::Sink>> sinks_; // until start()
    alerts::Dispatcher dispatcher_;
    std::uint64_t limit_;
    std::uint64_t alerts_ = 0;
};

// How often each rule matched and how fast, the most frequent first. `ns`: since the session began.
void append_rule_statistics(output::Buffer& out, const rules::Engine& rules, std::uint64_t ns);

} // namespace tiercel::app
