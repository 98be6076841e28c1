// SPDX-License-Identifier: Apache-2.0
#include "analyzer/observers/status_line.h"

#include <fmt/format.h>
#include <unistd.h>

#include "analyzer/output/event_line.h"
#include "shared/os/clock.h"

namespace tiercel::app {

namespace {

constexpr std::chrono::seconds kPeriod{1};

} // namespace

bool StatusLine::is_possible() {
    return output::wants_colour(STDERR_FILENO);
}

StatusLine::StatusLine() : err_(STDERR_FILENO), drawn_ns_(os::now_ns(CLOCK_MONOTONIC)) {}

os::Result<void> StatusLine::attach(Session session) {
    session.loop.every(kPeriod, [this, session] { draw(session); });
    return {};
}

// The cursor goes back to the line's begin, so that the next alert is written over the status.
void StatusLine::draw(const Session& session) {
    const auto live = session.source.statistics();
    const std::uint64_t now = os::now_ns(CLOCK_MONOTONIC), events = session.pipeline.events();
    fmt::format_to(fmt::appender(err_.buffer()), "{:.0f} events/s, {} dropped\x1b[K\r",
                   static_cast<double>(events - events_) * 1e9 /
                       static_cast<double>(now - drawn_ns_),
                   live ? live->counters.total().dropped() : 0);
    events_ = events;
    drawn_ns_ = now;
    err_.flush();
}

Observer::Outcome StatusLine::end() {
    fmt::format_to(fmt::appender(err_.buffer()), "\x1b[K");
    err_.flush();
    return Outcome::good;
}

} // namespace tiercel::app
