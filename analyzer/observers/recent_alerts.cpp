// SPDX-License-Identifier: Apache-2.0
#include "analyzer/observers/recent_alerts.h"

#include "analyzer/report/excerpts.h"

namespace tiercel::app {

void RecentAlerts::on_rules() {
    outputs_.clear();
    filter::Format::Problem problem;
    for (const rules::Rule& rule : detection_.rules->rules) // loading has checked the outputs
        outputs_.push_back(
            filter::Format::compile(rule.output, detection_.fields, problem).value());
}

void RecentAlerts::on_match(const Pipeline::Event& event) {
    for (const filter::RuleId id : event.matched) {
        const rules::Rule& rule = detection_.rules->rules[id];
        std::string message;
        outputs_[id].render(event.fields, message);
        alerts_.push_back({.time_ns = event.view.ts(),
                           .rule = rule.name,
                           .message = std::string(report::cut(message, kMostMessage)),
                           .priority = config::priority_name(rule.priority)});
        if (alerts_.size() > kMost)
            alerts_.pop_front();
    }
}

std::string RecentAlerts::page(const output::Metrics& metrics) const {
    output::Buffer out;
    report::append_live_page(out, metrics, alerts_);
    return fmt::to_string(out);
}

} // namespace tiercel::app
