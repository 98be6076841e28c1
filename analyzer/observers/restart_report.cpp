// SPDX-License-Identifier: Apache-2.0
#include "analyzer/observers/restart_report.h"

#include <fmt/format.h>
#include <unistd.h>

#include "analyzer/source/poison.h"

namespace tiercel::app {

os::Result<void> RestartReport::attach(Session session) {
    source_ = &session.source;
    const auto record = source_->poison();
    if (record.empty())
        return {};
    const std::string path = keep_poison(record);
    said_ =
        fmt::format("A record of {} bytes crashed the analyzer before this one. It is passed "
                    "over, and no rule has seen its event. {}",
                    record.size(),
                    path.empty() ? "It is not kept: the directory for crashes is missing or full."
                                 : "It is kept for a report: " + path);
    return {};
}

// The outputs have started by now.
void RestartReport::tick(const Tick&) {
    if (said_.empty())
        return;
    output::Writer err(STDERR_FILENO);
    fmt::format_to(fmt::appender(err.buffer()), "analyzer: {}\n", said_);
    err.flush();
    if (warn_)
        warn_("record skipped", said_, {});
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
