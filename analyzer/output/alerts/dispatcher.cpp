// SPDX-License-Identifier: Apache-2.0
#include "analyzer/output/alerts/dispatcher.h"

#include <unistd.h>

#include <csignal>
#include <ctime>

namespace tiercel::alerts {

namespace {

std::uint64_t now_ns() {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
           static_cast<std::uint64_t>(now.tv_nsec);
}

Alert internal_alert(const std::string& what, const std::string& message,
                     std::vector<std::pair<std::string, FieldValue>> fields) {
    Alert alert;
    alert.time_ns = now_ns();
    alert.rule = "Tiercel internal: " + what;
    alert.priority = config::Priority::warning;
    alert.source = "internal";
    alert.message = alert.rule + ". " + message;
    alert.fields = std::move(fields);
    return alert;
}

Outbox::Line line_of(const Alert& alert, const Style& style) {
    return {std::make_shared<const std::string>(render(alert, style)), alert.priority};
}

// The first line may have been written, whole or in part, when its process ended.
void drop_written(std::vector<Outbox::Line>& left, const Sink& sink) {
    const std::size_t written = left.empty() ? 0 : sink.bytes_at_the_end(*left.front().text);
    if (written == 0)
        return;
    Outbox::Line& first = left.front();
    if (written > first.text->size())
        left.erase(left.begin());
    else
        first.text = std::make_shared<const std::string>(first.text->substr(written));
}

std::string machine_name() {
    char name[256] = "";
    gethostname(name, sizeof name - 1);
    return name;
}

} // namespace

Dispatcher::Dispatcher(Style style, std::size_t queue_capacity)
    : style_(std::move(style)), capacity_(queue_capacity) {
    tzset();                       // reads the time zone now, since files cannot be opened later
    std::signal(SIGPIPE, SIG_IGN); // a write to a closed pipe or socket returns EPIPE instead
}

void Dispatcher::keep_lines(os::Mapping memory, const ring::Progress& progress) {
    kept_.emplace(std::move(memory));
    progress_ = &progress;
}

void Dispatcher::add(std::unique_ptr<Sink> sink) {
    const auto warn = [style = style_](const std::string& name, std::uint64_t count) {
        return line_of(internal_alert("alerts discarded",
                                      std::to_string(count) + " alerts were discarded: output " +
                                          name + " was blocked",
                                      {{"discarded", count}, {"output", name}}),
                       style);
    };
    const Sink& opened = *sink; // which its thread does not change before the first line
    std::vector<Outbox::Line> left;
    if (kept_)
        left = kept_->left(sink->name(), progress_->unfinished());
    drop_written(left, opened);
    outboxes_.push_back(std::make_unique<Outbox>(std::move(sink), capacity_, warn));
    for (Outbox::Line& line : left)
        outboxes_.back()->post(std::move(line));
}

void Dispatcher::send(const Alert& alert) {
    const Outbox::Line line = line_of(alert, style_);
    for (const auto& outbox : outboxes_)
        outbox->post(kept_ ? kept_->keep(line, outbox->name(), progress_->current()) : line);
}

void Dispatcher::warn(const std::string& what, const std::string& message,
                      std::vector<std::pair<std::string, FieldValue>> fields) {
    send(internal_alert(what, message, std::move(fields)));
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
        outputs.push_back({outbox->name(), outbox->counters()});
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
