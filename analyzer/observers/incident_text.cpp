// SPDX-License-Identifier: Apache-2.0
#include "analyzer/observers/incident_text.h"

#include <unistd.h>

#include "analyzer/output/event_line.h"
#include "analyzer/output/terminal.h"

namespace tiercel::app {

IncidentText::IncidentText(const Config& config, Detection& detection)
    : config_(config),
      summary_(detection.fields, detection.rules.get(), {config.container, config.user}),
      style_{.json = config.is_json(),
             .colour = output::wants_colour(STDOUT_FILENO),
             .columns = output::terminal_size(STDOUT_FILENO).columns},
      out_(STDOUT_FILENO) {
    if (!config.timeline)
        return;
    summary_.on_step([this](const report::Step& step) {
        report::append_step(out_.buffer(), summary_, step, style_);
        out_.line_done();
        if (++steps_ == config_.count || out_.error() != 0)
            pipeline_->stop();
    });
}

os::Result<void> IncidentText::attach(Session session) {
    pipeline_ = &session.pipeline;
    return {};
}

void IncidentText::on_event(const Pipeline::Event& event) {
    if (event.number == 1 && config_.since)
        summary_.set_since(config_.since->ns(event.view.ts()));
    summary_.take(event);
}

void IncidentText::tick(const Tick&) {
    if (!out_.flush())
        pipeline_->stop();
}

Observer::Outcome IncidentText::end() {
    if (config_.tree) {
        if (config_.replay.empty()) // a capture lists the processes of the whole machine
            summary_.add_running(pipeline_->state());
        report::append_tree(out_.buffer(), summary_, style_);
    }
    return end_output(out_);
}

} // namespace tiercel::app
