// SPDX-License-Identifier: Apache-2.0
//
// RuleReport: adds to the statistics how often each rule matched, the most frequent first.
#pragma once

#include "analyzer/observers/observer.h"

namespace tiercel::app {

class RuleReport : public Observer {
  public:
    os::Result<void> attach(Session session) override;
    void report(output::Buffer& out) const override;

  private:
    const Pipeline* pipeline_ = nullptr;
    std::uint64_t begun_ns_ = 0;
};

} // namespace tiercel::app
