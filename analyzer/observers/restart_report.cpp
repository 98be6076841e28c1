// SPDX-License-Identifier: Apache-2.0
#include "analyzer/observers/restart_report.h"

#include <fmt/format.h>
#include <unistd.h>

#include "analyzer/source/poison.h"

namespace tiercel::app {

os::Result<void> RestartReport::attach(Session session) {
    source_ = &session.source;
    const auto live = source_->statistics();
    if (live && live->lost_events > 0)
        said_.emplace_back("events lost",
                           fmt::format("No rule has seen {} events, because the probe was loaded "
                                       "anew.",
                                       live->lost_events));
    const auto record = source_->poison();
    if (record.empty())
        return {};
    const std::string path = keep_poison(record);
    said_.emplace_back(
        "record skipped",
        fmt::format("A record of {} bytes crashed the analyzer before this one. It is passed "
                    "over, and no rule has seen its event. {}",
                    record.size(),
                    path.empty() ? "It is not kept: the directory for crashes is missing or full."
                                 : "It is kept for a report: " + path));
    return {};
}

// The outputs have started by now.
void RestartReport::tick(const Tick&) {
    if (said_.empty())
        return;
    output::Writer err(STDERR_FILENO);
    for (const auto& [what, message] : said_) {
        fmt::format_to(fmt::appender(err.buffer()), "analyzer: {}\n", message);
        if (warn_)
            warn_(what, message, {});
    }
    err.flush();
    said_.clear();
}

void RestartReport::report(output::Buffer& out) const {
    const auto live = source_->statistics();
    if (!live || live->readers <= 1)
        return;
    fmt::format_to(fmt::appender(out),
                   "analyzer:   reader {} of one load; {} records skipped that crashed a reader\n",
                   live->readers, live->skipped);
}

} // namespace tiercel::app
