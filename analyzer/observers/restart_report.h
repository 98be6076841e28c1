// SPDX-License-Identifier: Apache-2.0
//
// RestartReport: says that the analyzer goes on where another one ended, about a record that
// crashed that one, and about events that were lost between the two.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "analyzer/observers/drop_watch.h"
#include "analyzer/observers/observer.h"

namespace tiercel::app {

class RestartReport : public Observer {
  public:
    // `warn` sends an internal alert; empty: the session has no outputs.
    explicit RestartReport(DropWatch::Warn warn) : warn_(std::move(warn)) {}

    // Keeps the record in a file, which the sandbox forbids later.
    os::Result<void> attach(Session session) override;
    void tick(const Tick& tick) override;
    void report(output::Buffer& out) const override;

  private:
    DropWatch::Warn warn_;
    const Source* source_ = nullptr;
    std::vector<std::pair<std::string, std::string>> said_; // what, and in words; until it is said
};

} // namespace tiercel::app
