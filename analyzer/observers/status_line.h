// SPDX-License-Identifier: Apache-2.0
//
// StatusLine: the last line of a terminal. It shows the rate of events and the number of dropped
// events on standard error, once a second.
#pragma once

#include "analyzer/observers/observer.h"

namespace tiercel::app {

class StatusLine : public Observer {
  public:
    // Returns true if standard error is a terminal that understands control sequences.
    static bool is_possible();

    StatusLine();
    os::Result<void> attach(Session session) override;
    // Clears the line, so that later output starts on an empty one.
    Outcome end() override;

  private:
    void draw(const Session& session);

    output::Writer err_;
    std::uint64_t events_ = 0, drawn_ns_; // as of the last drawing
};

} // namespace tiercel::app
