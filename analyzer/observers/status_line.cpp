// SPDX-License-Identifier: Apache-2.0
#include "analyzer/observers/status_line.h"

#include <fmt/format.h>
#include <unistd.h>

#include "analyzer/output/event_line.h"
#include "analyzer/service/clock.h"

namespace tiercel::app {

namespace {

constexpr std::chrono::seconds kPeriod{1};

} // namespace

bool StatusLine::is_possible() {
    return output::wants_colour(STDERR_FILENO);
}

StatusLine::StatusLine(const Pipeline& pipeline, const Source& source, Loop& loop)
    : pipeline_(pipeline), source_(source), err_(STDERR_FILENO),
      drawn_ns_(now_ns(CLOCK_MONOTONIC)) {
    loop.every(kPeriod, [this] { draw(); });
}

// The cursor goes back to the line's begin, so that the next alert is written over the status.
void StatusLine::draw() {
    const auto live = source_.statistics();
    const std::uint64_t now = now_ns(CLOCK_MONOTONIC), events = pipeline_.events();
    fmt::format_to(fmt::appender(err_.buffer()), "{:.0f} events/s, {} dropped\x1b[K\r",
                   static_cast<double>(events - events_) * 1e9 /
                       static_cast<double>(now - drawn_ns_),
                   live ? live->counters.total().dropped() : 0);
    events_ = events;
    drawn_ns_ = now;
    err_.flush();
}

void StatusLine::end() {
    fmt::format_to(fmt::appender(err_.buffer()), "\x1b[K");
    err_.flush();
}

} // namespace tiercel::app
