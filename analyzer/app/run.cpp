// SPDX-License-Identifier: Apache-2.0
#include "analyzer/app/run.h"

#include <cerrno>
#include <unistd.h>

#include "analyzer/service/clock.h"

namespace tiercel::app {

namespace {

// For the door, for the alert file while it is reopened, and for readers of the metrics.
constexpr unsigned kMoreFds = 22;

int fail(const os::Error& error, std::string_view todo = {}) {
    os::print("analyzer", error, todo);
    return 1;
}

} // namespace

Run::Run(const Options& options, Setup& setup, Pipeline& pipeline, Source& source, Takers takers)
    : options_(options), log_level_(setup.settings.log_level), pipeline_(pipeline), source_(source),
      alerter_(takers.alerter), recording_(takers.recording), err_(STDERR_FILENO),
      loop_(source.wakeups(), source.ends_with_wakeups(), source.room(), options.seconds,
            {.read = [this] { return read(); },
             .report = [this] { report(); },
             .reopen =
                 [this] {
                     if (alerter_ != nullptr)
                         alerter_->reopen();
                 }}) {
    pipeline.set_hostname(setup.settings.hostname.empty() ? source.machine().hostname
                                                          : setup.settings.hostname.c_str());
    if (options.events) {
        printer_.emplace(options, setup);
        pipeline.on_event([this](const Pipeline::Event& event) {
            if (!printer_->show(event))
                pipeline_.stop();
        });
    }
    if (alerter_ != nullptr)
        pipeline.on_match([this](const Pipeline::Event& event) {
            if (!alerter_->alert(event))
                pipeline_.stop();
        });
    if (recording_ != nullptr)
        recording_->attach(pipeline, source.machine());
}

os::Result<Confinement> Run::confine() {
    const std::vector<int> writable =
        alerter_ != nullptr ? alerter_->writable() : std::vector<int>();
    return enter_sandbox({.more_fds = kMoreFds,
                          .writable = writable,
                          .overwrite = recording_ != nullptr && recording_->overwrites(),
                          .start_threads =
                              [this] {
                                  if (alerter_ != nullptr)
                                      alerter_->start();
                              },
                          .listens = monitor_->listens(),
                          .root_too = !options_.replay.empty()});
}

// To whoever this is told, tells, or is asked; before the sandbox.
os::Result<void> Run::connect() {
    auto notify = Notify::from_environment();
    if (!notify)
        return notify.error();
    notify_ = *std::move(notify);
    auto monitor = Monitor::make(options_, pipeline_, source_, alerter_, loop_);
    if (!monitor)
        return monitor.error();
    monitor_ = *std::move(monitor);
    if (alerter_ != nullptr && !options_.events && options_.replay.empty() &&
        log_level_ >= config::Priority::informational && StatusLine::is_possible())
        status_line_.emplace(pipeline_, source_, loop_);
    if (options_.enricher.empty() || !options_.replay.empty())
        return {};
    auto enrichment = Enrichment::make(options_.enricher, pipeline_.state().containers(), loop_);
    if (!enrichment)
        return enrichment.error();
    enrichment_ = *std::move(enrichment);
    return {};
}

int Run::run() {
    if (auto connected = connect(); !connected)
        return fail(connected.error(), "");
    auto confined = confine();
    if (!confined)
        return fail(confined.error(), confined.error().number == EPERM
                                          ? "start the pair with 'privd --exec -- analyzer ...'"
                                          : "");
    confinement_ = *confined;
    begun_ = now_ns(CLOCK_MONOTONIC);
    if (auto begun = source_.begin(); !begun)
        return fail(begun.error());
    notify_.ready("watching");
    loop_.run();
    notify_.stopping();
    if (!pipeline_.stopped())
        source_.finish();
    return end();
}

std::size_t Run::read() {
    const std::size_t bytes = source_.read();
    monitor_->batch_done();
    enrich();
    check_outputs();
    if (recording_ != nullptr)
        recording_->flush(now_ns(CLOCK_MONOTONIC));
    if (pipeline_.stopped())
        loop_.stop();
    notify_.alive(now_ns(CLOCK_MONOTONIC));
    return bytes;
}

void Run::enrich() {
    if (enrichment_ == nullptr || enrichment_ended_)
        return;
    enrichment_->ask_next();
    enrichment_ended_ = !enrichment_->end().empty();
    if (!enrichment_ended_)
        return;
    fmt::format_to(fmt::appender(err_.buffer()),
                   "analyzer: nothing more is learnt of containers: the enricher: {}\n",
                   enrichment_->end());
}

void Run::check_outputs() {
    if (!err_.flush() || (printer_ && !printer_->flush()) ||
        (alerter_ != nullptr && alerter_->gone()))
        pipeline_.stop();
}

void Run::report() {
    const std::uint64_t ns = now_ns(CLOCK_MONOTONIC) - begun_;
    output::append_statistics(err_.buffer(), {.engine = pipeline_.state(),
                                              .events = pipeline_.events(),
                                              .shown = printer_ ? printer_->shown() : 0,
                                              .ns = ns,
                                              .live = source_.statistics(),
                                              .landlock_abi = confinement_.landlock_abi,
                                              .uid = confinement_.uid});
    if (pipeline_.rules() != nullptr)
        append_rule_statistics(err_.buffer(), *pipeline_.rules(), ns);
    if (alerter_ != nullptr)
        alerter_->append_statistics(err_.buffer());
    err_.flush();
}

int Run::end() {
    const bool recorded = recording_ == nullptr || recording_->finish(pipeline_.state());
    monitor_->end();
    if (status_line_)
        status_line_->end();
    if (printer_)
        printer_->flush();
    if (alerter_ != nullptr)
        alerter_->drain();
    int error = printer_ ? printer_->error() : 0;
    if (error == 0 && alerter_ != nullptr)
        error = alerter_->stdout_error();
    if (error == EPIPE)
        return 0; // whoever read it has seen enough
    if (error != 0)
        return fail(os::error("write", "to standard output", error));
    if (log_level_ >= config::Priority::informational)
        report();
    if (alerter_ != nullptr && alerter_->gone())
        return fail(os::error("write", "alerts: every output has gone", 0));
    if (source_.error().empty())
        return recorded ? 0 : 1;
    fmt::print(stderr, "analyzer: {}\n", source_.error());
    return 1;
}

} // namespace tiercel::app
