// SPDX-License-Identifier: Apache-2.0
//
// Run: a session from the sandbox to the end. Events of a source go through the pipeline to the
// observers, until a signal, the end of the time, or an observer ends the session.
#pragma once

#include <memory>
#include <vector>

#include "analyzer/observers/observer.h"
#include "analyzer/service/notify.h"
#include "analyzer/service/sandbox.h"
#include "analyzer/setup/config.h"

namespace tiercel::app {

class Run {
  public:
    using Observers = std::vector<std::unique_ptr<Observer>>;

    // All must outlive this object. Events reach the observers in their order.
    Run(const Config& config, Pipeline& pipeline, Source& source, const Observers& observers,
        Notify& notify);
    // Returns the exit code. A failure has been printed on standard error.
    int run();

  private:
    os::Result<void> attach();
    os::Result<Confinement> confine();
    std::size_t read();
    void report();
    int end();

    const Config& config_;
    Pipeline& pipeline_;
    Source& source_;
    const Observers& observers_;
    Notify& notify_;
    output::Writer err_;
    Loop loop_;
    Confinement confinement_;
    std::uint64_t begun_ns_ = 0;
    std::uint64_t lag_ns_ = 0, measured_at_ = 0; // measured_at_: the number of events then
};

} // namespace tiercel::app
