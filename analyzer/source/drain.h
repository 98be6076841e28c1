// SPDX-License-Identifier: Apache-2.0
//
// Drain: keeps the rings of an earlier probe from filling while privd loads another, which takes a
// busy machine seconds. No event is evaluated meanwhile, so the events are held.
#pragma once

#include <stop_token>
#include <thread>

#include "analyzer/pipeline/held_events.h"
#include "analyzer/ring/ring_set.h"

namespace tiercel::app {

class Drain {
  public:
    // Starts a thread that takes events out of the rings whenever one is half full. `rings` must
    // outlive this object, and nothing else may use it before end(). Create it before the sandbox.
    explicit Drain(ring::RingSet& rings);
    // Ends the thread. Returns the events that it took, which come before those in the rings.
    HeldEvents end();

  private:
    void run(const std::stop_token& stop);

    ring::RingSet& rings_;
    HeldEvents held_;
    std::jthread thread_; // the last member, because it uses the others
};

} // namespace tiercel::app
