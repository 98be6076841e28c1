// SPDX-License-Identifier: Apache-2.0
#include "analyzer/source/drain.h"

#include <chrono>
#include <utility>

namespace tiercel::app {

Drain::Drain(ring::RingSet& rings)
    : rings_(rings), thread_([this](const std::stop_token& stop) { run(stop); }) {}

void Drain::run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
        if (!held_.is_full() && rings_.waiting() >= rings_.ring_bytes() / 2)
            rings_.batch(
                [this](const ring::RingEvent& got) { return held_.add(got.view, got.cpu); });
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
}

HeldEvents Drain::end() {
    thread_.request_stop();
    thread_.join();
    return std::move(held_);
}

} // namespace tiercel::app
