// SPDX-License-Identifier: Apache-2.0
#include "analyzer/observers/alert_observer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "analyzer/output/alerts/outputs.h"

namespace tiercel::app {

namespace {

constexpr std::chrono::seconds kDrain{5};
constexpr std::uint64_t kLookEvery = 1'000'000'000; // ns

alerts::AlertTemplate template_of(const rules::Rule& rule, filter::Fields& fields) {
    alerts::Alert fixed;
    fixed.rule = rule.name;
    fixed.priority = rule.priority;
    fixed.source = rule.source;
    fixed.tags = rule.tags;
    filter::Format::Problem problem;
    auto made = alerts::AlertTemplate::make(std::move(fixed), rule.output, rule.extra_fields,
                                            fields, problem);
    return std::move(made).value(); // loading has checked it
}

// The reader of standard output has closed it, as `head` does.
bool is_closed_stdout(const alerts::Dispatcher::Output& output) {
    return output.name == "stdout" && output.counters.gone == EPIPE;
}

} // namespace

// -n counts the events, if events are printed.
AlertObserver::AlertObserver(const Config& config, Detection& detection)
    : detection_(detection),
      dispatcher_(alerts::style_of(config.settings), config.settings.queue_capacity),
      limit_(config.events ? 0 : config.count) {
    if (config.settings.output_rate > 0)
        bucket_.emplace(config.settings.output_rate, config.settings.output_burst);
    on_rules();
}

void AlertObserver::on_rules() {
    templates_.clear();
    for (const rules::Rule& rule : detection_.rules->rules)
        templates_.push_back(template_of(rule, detection_.fields));
}

os::Result<std::unique_ptr<AlertObserver>> AlertObserver::open(const Config& config,
                                                               Detection& detection) {
    std::unique_ptr<AlertObserver> made(new AlertObserver(config, detection));
    auto sinks = alerts::open_sinks(config.settings);
    if (!sinks)
        return sinks.error();
    made->sinks_ = *std::move(sinks);
    made->said_failures_.resize(made->sinks_.size());
    return made;
}

os::Result<void> AlertObserver::attach(Session session) {
    pipeline_ = &session.pipeline;
    if (Memories* memories = session.source.memories())
        dispatcher_.keep_lines(std::move(memories->alerts), memories->progress);
    return {};
}

void AlertObserver::add_needs(Needs& needs) const {
    for (const auto& sink : sinks_)
        if (sink->directory() >= 0)
            needs.writable.push_back(sink->directory());
}

void AlertObserver::start() {
    for (auto& sink : sinks_)
        dispatcher_.add(std::move(sink));
    sinks_.clear();
}

void AlertObserver::on_match(const Pipeline::Event& event) {
    for (const filter::RuleId id : event.matched) {
        if (bucket_ && !bucket_->take(event.view.ts())) {
            ++suppressed_;
            continue;
        }
        alerts::Alert alert = templates_[id].fill(event.fields, event.view.ts());
        if (capture_of_)
            alert.capture_file = capture_of_(id);
        dispatcher_.send(alert);
        if (++alerts_ == limit_)
            return pipeline_->stop();
    }
}

void AlertObserver::tick(const Tick& tick) {
    if (all_gone())
        pipeline_->stop();
    if (tick.now_ns < next_look_ns_)
        return;
    next_look_ns_ = tick.now_ns + kLookEvery;
    say_failures();
}

// Prints further failures of an output at most once in a period, and the end of an output once.
void AlertObserver::say_failures() {
    const auto outputs = dispatcher_.outputs();
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        const auto& [name, counters] = outputs[i];
        const bool is_old =
            counters.failed == said_failures_[i] || (counters.gone != 0 && said_failures_[i] > 0);
        if (is_old || is_closed_stdout(outputs[i]))
            continue;
        os::print("analyzer",
                  os::error("write",
                            fmt::format("{} alerts to output {}",
                                        counters.failed - said_failures_[i], name),
                            counters.error),
                  "these alerts are lost");
        said_failures_[i] = counters.failed;
    }
}

bool AlertObserver::all_gone() const {
    const auto outputs = dispatcher_.outputs();
    return !outputs.empty() && std::ranges::all_of(outputs, [](const auto& output) {
        return output.counters.gone != 0;
    });
}

Observer::Outcome AlertObserver::end() {
    dispatcher_.drain(kDrain);
    const auto outputs = dispatcher_.outputs();
    if (outputs.size() == 1 && is_closed_stdout(outputs[0]))
        return Outcome::reader_gone;
    say_failures();
    if (!all_gone())
        return Outcome::good;
    os::print("analyzer", os::error("write", "alerts: every output has ended", 0), "");
    return Outcome::failed;
}

void AlertObserver::report(output::Buffer& out) const {
    for (const auto& [name, counters] : dispatcher_.outputs())
        fmt::format_to(fmt::appender(out),
                       "analyzer:   output {}: {} written, {} discarded, {} failed\n", name,
                       counters.written, counters.discarded, counters.failed);
    if (suppressed_ > 0)
        fmt::format_to(fmt::appender(out), "analyzer:   {} alerts left out by outputs.rate\n",
                       suppressed_);
}

void AlertObserver::add_metrics(output::Metrics& metrics) const {
    for (const auto& [name, counters] : dispatcher_.outputs())
        metrics.queues.push_back({.name = name,
                                  .waiting = counters.waiting,
                                  .written = counters.written,
                                  .discarded = counters.discarded,
                                  .failed = counters.failed});
}

} // namespace tiercel::app
