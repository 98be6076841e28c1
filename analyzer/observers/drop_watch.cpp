// SPDX-License-Identifier: Apache-2.0
#include "analyzer/observers/drop_watch.h"

#include <fmt/format.h>
#include <unistd.h>

#include "kernel/common/abi.h"
#include "shared/os/clock.h"

namespace tiercel::app {

DropWatch::DropWatch(const config::Settings& settings, Warn warn)
    : settings_(settings), warn_(std::move(warn)),
      bucket_(settings.drop_rate, settings.drop_burst) {}

os::Result<void> DropWatch::attach(Session session) {
    // The counters of a session that goes on after a restart are not 0.
    if (const auto live = session.source.statistics()) {
        const ring::CpuCounts all = live->counters.total();
        last_ = {.events = all.events + all.dropped(),
                 .drops = all.dropped(),
                 .ring_full = all.drops[TIERCEL_DROP_RING_FULL]};
    }
    session.loop.every(std::chrono::seconds(1), [this, session] { look(session); });
    return {};
}

void DropWatch::look(const Session& session) {
    const auto live = session.source.statistics();
    if (!live)
        return;
    const ring::CpuCounts all = live->counters.total();
    const Second now{.events = all.events + all.dropped(),
                     .drops = all.dropped(),
                     .ring_full = all.drops[TIERCEL_DROP_RING_FULL]};
    Second second{.events = now.events - last_.events,
                  .drops = now.drops - last_.drops,
                  .ring_full = now.ring_full - last_.ring_full};
    last_ = now;
    if (settings_.simulate_drops && second.drops == 0)
        second.drops = second.events = std::max<std::uint64_t>(second.events, 1);
    if (!judge(second, os::now_ns(CLOCK_MONOTONIC)))
        return;
    act(second);
    if (settings_.drop_actions.exit) {
        failed_ = true;
        session.pipeline.stop();
        session.loop.stop();
    }
}

bool DropWatch::judge(const Second& second, std::uint64_t now_ns) {
    if (second.drops == 0 || second.events == 0)
        return false;
    const double share = static_cast<double>(second.drops) / static_cast<double>(second.events);
    return share > settings_.drop_threshold && bucket_.take(now_ns);
}

void DropWatch::act(const Second& second) {
    const std::string message = fmt::format("{} of {} events were dropped in the last second.",
                                            second.drops, second.events);
    if (settings_.drop_actions.log) {
        output::Writer err(STDERR_FILENO);
        fmt::format_to(fmt::appender(err.buffer()),
                       "analyzer: {} Raise --ring-size, or load fewer rules\n", message);
        err.flush();
    }
    if (settings_.drop_actions.alert && warn_)
        warn_("syscall event drop", message,
              {{"n_evts", second.events},
               {"n_drops", second.drops},
               {"n_drops_buffer_total", second.ring_full}});
}

} // namespace tiercel::app
