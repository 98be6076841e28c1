// SPDX-License-Identifier: Apache-2.0
#include "analyzer/output/alerts/dispatcher.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "shared/os/clock.h"

namespace tiercel::alerts {

namespace {

Alert internal_alert(const std::string& what, const std::string& message,
                     std::vector<std::pair<std::string, FieldValue>> fields) {
    Alert alert;
    alert.time_ns = os::now_ns(CLOCK_REALTIME);
    alert.rule = "Tiercel internal: " + what;
    alert.priority = config::Priority::warning;
    alert.source = "internal";
    alert.message = alert.rule + ". " + message;
    alert.fields = std::move(fields);
    return alert;
}

Outbox::LinePointer line_of(const Alert& alert, const Style& style) {
    return std::make_shared<const Line>(
        Line{render(alert, style), alert.priority, alert.rule, alert.time_ns, alert.container_id});
}

// The first line may have been written, whole or in part, when its process ended.
void drop_written(std::vector<Outbox::LinePointer>& left, const Sink& sink) {
    const std::size_t written = left.empty() ? 0 : sink.bytes_at_the_end(left.front()->text);
    if (written == 0)
        return;
    if (written > left.front()->text.size()) {
        left.erase(left.begin());
        return;
    }
    auto rest = std::make_unique<Line>(*left.front());
    rest->text.erase(0, written);
    // The whole line stays kept until its rest is written.
    left.front() = {rest.release(), [whole = left.front()](const Line* line) { delete line; }};
}

std::string machine_name() {
    char name[256] = "";
    gethostname(name, sizeof name - 1);
    return name;
}

} // namespace

Dispatcher::Dispatcher(Style style, std::size_t queue_capacity)
    : style_(std::move(style)), json_style_(style_), capacity_(queue_capacity) {
    json_style_.json = true;
    std::signal(SIGPIPE, SIG_IGN); // a write to a closed pipe or socket returns EPIPE instead
}

void Dispatcher::keep_lines(os::Mapping memory, const ring::Progress& progress) {
    kept_.emplace(std::move(memory), progress);
    progress_ = &progress;
}

void Dispatcher::add(std::unique_ptr<Sink> sink) {
    const auto warn = [style = sink->wants_json() ? json_style_ : style_](const std::string& name,
                                                                          std::uint64_t count) {
        return line_of(internal_alert("alerts discarded",
                                      std::to_string(count) + " alerts were discarded: output " +
                                          name + " was blocked",
                                      {{"discarded", count}, {"output", name}}),
                       style);
    };
    const Sink& opened = *sink; // which its thread does not change before the first line
    std::vector<Outbox::LinePointer> left;
    if (kept_)
        left = kept_->left(sink->name());
    drop_written(left, opened);
    if (rules_)
        sink->set_rules(*rules_);
    outboxes_.push_back(std::make_unique<Outbox>(std::move(sink), capacity_, warn));
    for (Outbox::LinePointer& line : left)
        outboxes_.back()->post(std::move(line));
}

void Dispatcher::send(const Alert& alert) {
    Outbox::LinePointer plain, json; // each is made if an output wants it
    const ring::Progress::Place place = kept_ ? progress_->current() : ring::Progress::Place{};
    for (const auto& outbox : outboxes_) {
        if (kept_ && kept_->was_sent(alert.rule, outbox->name(), place))
            continue;
        Outbox::LinePointer& line = outbox->wants_json() ? json : plain;
        if (!line)
            line = line_of(alert, outbox->wants_json() ? json_style_ : style_);
        outbox->post(kept_ ? kept_->keep(line, outbox->name(), place) : line);
    }
}

void Dispatcher::warn(const std::string& what, const std::string& message,
                      std::vector<std::pair<std::string, FieldValue>> fields) {
    send(internal_alert(what, message, std::move(fields)));
}

void Dispatcher::set_rules(const wire::courier::Sha256& sum) {
    rules_ = sum;
    for (const auto& outbox : outboxes_)
        outbox->set_rules(sum);
}

void Dispatcher::reopen() {
    for (const auto& outbox : outboxes_)
        outbox->reopen();
}

bool Dispatcher::drain(std::chrono::milliseconds deadline) {
    const auto end = std::chrono::steady_clock::now() + deadline;
    bool all = true;
    for (const auto& outbox : outboxes_) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            end - std::chrono::steady_clock::now());
        all = outbox->drain(std::max(left, std::chrono::milliseconds(0))) && all;
    }
    if (kept_)
        kept_->freeze();
    return all;
}

std::vector<Dispatcher::Output> Dispatcher::outputs() const {
    std::vector<Output> outputs;
    for (const auto& outbox : outboxes_)
        outputs.push_back({outbox->name(), outbox->counters(), outbox->destinations()});
    return outputs;
}

Style style_of(const config::Settings& settings) {
    Style style;
    style.json = settings.json_output;
    style.include_output = settings.json_include_output;
    style.include_tags = settings.json_include_tags;
    style.include_message = settings.json_include_message;
    style.include_fields = settings.json_include_fields;
    style.iso_8601 = settings.time_iso_8601;
    style.hostname = settings.hostname.empty() ? machine_name() : settings.hostname;
    return style;
}

} // namespace tiercel::alerts
