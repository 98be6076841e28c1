// SPDX-License-Identifier: Apache-2.0
#include "analyzer/observers/rule_report.h"

#include <algorithm>
#include <numeric>

#include "shared/escape/escape.h"
#include "shared/os/clock.h"

namespace tiercel::app {

os::Result<void> RuleReport::attach(Session session) {
    pipeline_ = &session.pipeline;
    begun_ns_ = os::now_ns(CLOCK_MONOTONIC);
    return {};
}

void RuleReport::report(output::Buffer& out) const {
    const auto& rules = *pipeline_->rules();
    const std::uint64_t ns = os::now_ns(CLOCK_MONOTONIC) - begun_ns_;
    const auto& counts = rules.counts();
    std::vector<std::size_t> order(counts.size());
    std::iota(order.begin(), order.end(), 0);
    std::ranges::stable_sort(order,
                             [&](std::size_t a, std::size_t b) { return counts[a] > counts[b]; });
    std::size_t silent = 0;
    for (const std::size_t id : order) {
        const rules::Rule& rule = rules.rules().rules[id];
        if (counts[id] == 0) {
            silent += rule.enabled ? 1 : 0;
            continue;
        }
        fmt::format_to(fmt::appender(out), "analyzer:   rule '{}' ({}): {} alerts, {:.2f}/s\n",
                       escape::as_text(rule.name), config::priority_name(rule.priority), counts[id],
                       static_cast<double>(counts[id]) * 1e9 /
                           static_cast<double>(std::max<std::uint64_t>(ns, 1)));
    }
    fmt::format_to(fmt::appender(out), "analyzer:   {} rules matched nothing\n", silent);
}

} // namespace tiercel::app
