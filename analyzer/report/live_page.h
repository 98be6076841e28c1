// SPDX-License-Identifier: Apache-2.0
//
// The state of a running analyzer as a page of HTML without a program, which the browser loads
// again every few seconds: rates, drops, destinations, rules and the last alerts.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "analyzer/output/metrics.h"

namespace tiercel::report {

struct RecentAlert {
    std::uint64_t time_ns; // since the epoch
    std::string rule, message;
    std::string_view priority;
};

// Appends `text` for HTML, escaped as on a terminal besides, so that no name hides or reorders what
// is beside it.
void append_html(output::Buffer& out, std::string_view text);

// `alerts`: the newest last.
void append_live_page(output::Buffer& out, const output::Metrics& metrics,
                      const std::deque<RecentAlert>& alerts);

} // namespace tiercel::report
