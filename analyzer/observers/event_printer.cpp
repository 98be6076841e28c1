// SPDX-License-Identifier: Apache-2.0
#include "analyzer/observers/event_printer.h"

#include <unistd.h>

namespace tiercel::app {

EventPrinter::EventPrinter(const Config& config, Detection& detection)
    : config_(config), detection_(detection), selection_(config.syscalls), out_(STDOUT_FILENO),
      line_(output::wants_colour(STDOUT_FILENO)) {}

os::Result<void> EventPrinter::attach(Session session) {
    pipeline_ = &session.pipeline;
    return {};
}

void EventPrinter::on_event(const Pipeline::Event& event) {
    if (!selection_.shows(event.view) ||
        (detection_.filter && !detection_.filter->holds(event.view, event.fields)))
        return;
    const output::Shown shown{event.number, event.view, event.cpu, event.state};
    if (config_.is_json())
        json_.append(out_.buffer(), shown);
    else
        line_.append(out_.buffer(), shown);
    out_.line_done();
    if (++shown_ == config_.count || out_.error() != 0)
        pipeline_->stop();
}

void EventPrinter::tick(const Tick&) {
    if (!out_.flush())
        pipeline_->stop();
}

void EventPrinter::report(output::Buffer& out) const {
    fmt::format_to(fmt::appender(out), "analyzer:   {} events shown\n", shown_);
}

Observer::Outcome EventPrinter::end() {
    return end_output(out_);
}

} // namespace tiercel::app
