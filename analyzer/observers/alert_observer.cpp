// SPDX-License-Identifier: Apache-2.0
#include "analyzer/observers/alert_observer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "analyzer/output/alerts/outputs.h"
#include "shared/os/clock.h"

namespace tiercel::app {

namespace {

constexpr std::chrono::seconds kDrain{5};
constexpr std::uint64_t kLookEvery = 1'000'000'000; // ns
constexpr std::uint64_t kMillisecond = 1'000'000;   // ns

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

// Returns the errno that keeps the output from taking alerts now; 0: none.
int error_of(const alerts::Outbox::Counters& counters) {
    if (counters.gone != 0)
        return counters.gone;
    return counters.failing != 0 ? counters.failing : counters.away;
}

} // namespace

// -n counts the events, if events are printed.
AlertObserver::AlertObserver(const Config& config, Detection& detection)
    : detection_(detection),
      dispatcher_(alerts::style_of(config.settings), config.settings.queue_capacity),
      live_(config.replay.empty()), limit_(config.events ? 0 : config.count) {
    if (config.settings.output_rate > 0)
        bucket_.emplace(config.settings.output_rate, config.settings.output_burst);
    on_rules();
}

void AlertObserver::on_rules() {
    templates_.clear();
    for (const rules::Rule& rule : detection_.rules->rules)
        templates_.push_back(template_of(rule, detection_.fields));
    dispatcher_.set_rules(detection_.rules_sum);
}

os::Result<std::unique_ptr<AlertObserver>> AlertObserver::open(const Config& config,
                                                               Detection& detection) {
    std::unique_ptr<AlertObserver> made(new AlertObserver(config, detection));
    auto sinks = alerts::open_sinks(config.settings);
    if (!sinks)
        return sinks.error();
    made->sinks_ = *std::move(sinks);
    made->said_.resize(made->sinks_.size());
    if (auto prepared = made->prepare_fold(config); !prepared)
        return prepared.error();
    return made;
}

os::Result<void> AlertObserver::prepare_fold(const Config& config) {
    if (config.settings.fold_by.empty())
        return {};
    std::string text;
    for (const std::string& name : config.settings.fold_by) {
        if (name == "rule")
            fold_by_rule_ = true;
        else
            text += '%' + name + ' ';
    }
    filter::Format::Problem problem;
    fold_fields_ = filter::Format::compile(text, detection_.fields, problem);
    if (!fold_fields_)
        return os::error("fold alerts by outputs.fold.by", problem.message, 0);
    fold_.emplace(config.settings.fold_window_ms * kMillisecond);
    return {};
}

bool AlertObserver::is_folded(filter::RuleId id, const Pipeline::Event& event) {
    key_.clear();
    if (fold_by_rule_)
        key_ = detection_.rules->rules[id].name + ' ';
    fold_fields_->render(event.fields, key_);
    return !fold_->is_first(key_, event.view.ts());
}

void AlertObserver::end_windows(std::uint64_t ns) {
    if (fold_)
        fold_->expire(ns, [this](const alerts::Alert& alert) { dispatcher_.send(alert); });
}

os::Result<void> AlertObserver::attach(Session session) {
    pipeline_ = &session.pipeline;
    if (Memories* memories = session.source.memories()) {
        alerts::KeptLines::adopt(memories->earlier_alerts, memories->alerts);
        dispatcher_.keep_lines(std::move(memories->alerts), memories->progress);
    }
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
    end_windows(event.view.ts());
    for (const filter::RuleId id : event.matched) {
        if (fold_ && is_folded(id, event))
            continue;
        if (bucket_ && !bucket_->take(event.view.ts())) {
            ++suppressed_;
            continue;
        }
        alerts::Alert alert = templates_[id].fill(event.fields, event.view.ts());
        if (capture_of_)
            alert.capture_file = capture_of_(id);
        dispatcher_.send(fold_ ? fold_->keep(key_, alert) : alert);
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
    if (live_)
        end_windows(os::now_ns(CLOCK_REALTIME));
    say_failures();
}

// Prints further lost alerts of an output at most once in a period, and the end of an output once.
// Prints and sends an alert when an output begins to fail and when it works again.
void AlertObserver::say_failures() {
    const auto outputs = dispatcher_.outputs();
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        const auto& [name, counters, destinations] = outputs[i];
        Said& said = said_[i];
        const bool failing = counters.failing != 0;
        if (failing && !said.failing) {
            const os::Error error = os::error("write alerts to output", name, counters.failing);
            os::print("analyzer", error, "they wait in the output's queue");
            dispatcher_.warn("output fails", "Alerts for output " + name + " wait in its queue",
                             {{"output", name}});
        } else if (!failing && said.failing && counters.waiting == 0) {
            fmt::print(stderr, "analyzer: output {} works again\n", name);
            dispatcher_.warn("output works again", "Alerts reach output " + name + " again",
                             {{"output", name}});
        }
        said.failing = failing || (said.failing && counters.waiting > 0);
        const bool is_old =
            counters.failed == said.failed || (counters.gone != 0 && said.failed > 0);
        if (is_old || is_closed_stdout(outputs[i]))
            continue;
        os::print(
            "analyzer",
            os::error("write",
                      fmt::format("{} alerts to output {}", counters.failed - said.failed, name),
                      counters.error),
            "these alerts are lost");
        said.failed = counters.failed;
    }
}

// Prints how many alerts are lost because they still wait at the end.
void AlertObserver::say_losses() const {
    for (const auto& [name, counters, destinations] : dispatcher_.outputs())
        if (counters.waiting > 0 && counters.gone == 0)
            os::print("analyzer",
                      os::error("write",
                                fmt::format("{} alerts to output {} before the end",
                                            counters.waiting, name),
                                counters.failing),
                      "these alerts are lost");
}

bool AlertObserver::all_gone() const {
    const auto outputs = dispatcher_.outputs();
    return !outputs.empty() && std::ranges::all_of(outputs, [](const auto& output) {
        return output.counters.gone != 0;
    });
}

Observer::Outcome AlertObserver::end() {
    end_windows(~std::uint64_t{0});
    dispatcher_.drain(kDrain);
    const auto outputs = dispatcher_.outputs();
    if (outputs.size() == 1 && is_closed_stdout(outputs[0]))
        return Outcome::reader_gone;
    say_failures();
    say_losses();
    if (!all_gone())
        return Outcome::good;
    os::print("analyzer", os::error("write", "alerts: every output has ended", 0), "");
    return Outcome::failed;
}

void AlertObserver::report(output::Buffer& out) const {
    for (const auto& [name, counters, destinations] : dispatcher_.outputs())
        fmt::format_to(fmt::appender(out),
                       "analyzer:   output {}: {} written, {} discarded, {} failed\n", name,
                       counters.written, counters.discarded, counters.failed);
    if (suppressed_ > 0)
        fmt::format_to(fmt::appender(out), "analyzer:   {} alerts left out by outputs.rate\n",
                       suppressed_);
    if (fold_)
        fmt::format_to(fmt::appender(out), "analyzer:   {} alerts folded into others\n",
                       fold_->folded());
}

void AlertObserver::add_metrics(output::Metrics& metrics) const {
    for (const auto& [name, counters, destinations] : dispatcher_.outputs()) {
        metrics.queues.push_back({.name = name,
                                  .waiting = counters.waiting,
                                  .written = counters.written,
                                  .discarded = counters.discarded,
                                  .failed = counters.failed,
                                  .error = error_of(counters)});
        for (const wire::courier::State& state : destinations)
            metrics.destinations.push_back(output::destination_of(state));
    }
}

} // namespace tiercel::app
