// SPDX-License-Identifier: Apache-2.0
//
// Connects the pipeline and the observers, enters the sandbox, and drives the loop.
#include "analyzer/app/run.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "shared/os/clock.h"

namespace tiercel::app {

namespace {

// For files that privd opens, for the alert file while it is opened again, and for the connections
// of metrics clients.
constexpr unsigned kMoreFds = 64;

int fail(const os::Error& error, std::string_view todo = {}) {
    os::print("analyzer", error, todo);
    return 1;
}

void connect_observer(Observer& observer, Pipeline& pipeline) {
    const unsigned wants = observer.wants();
    if ((wants & Observer::every_arrival) != 0)
        pipeline.on_arrival([&observer](const event::EventView& event, std::uint16_t cpu) {
            observer.on_arrival(event, cpu);
        });
    if ((wants & Observer::every_event) != 0)
        pipeline.on_event([&observer](const Pipeline::Event& event) { observer.on_event(event); });
    if ((wants & Observer::every_match) != 0)
        pipeline.on_match([&observer](const Pipeline::Event& event) { observer.on_match(event); });
}

} // namespace

Run::Run(const Config& config, Pipeline& pipeline, Source& source, const Observers& observers,
         Notify& notify)
    : config_(config), pipeline_(pipeline), source_(source), observers_(observers), notify_(notify),
      err_(STDERR_FILENO),
      loop_(source.wakeups(), source.ends_with_wakeups(), source.room(), config.seconds,
            {.read = [this] { return read(); },
             .report = [this] { report(); },
             .reopen =
                 [this] {
                     for (const auto& observer : observers_)
                         observer->reopen();
                 }}) {
    pipeline.set_hostname(config.settings.hostname.empty() ? source.machine().hostname
                                                           : config.settings.hostname.c_str());
}

// Attaches the observers. Call before entering the sandbox, because sockets and files cannot be
// opened afterwards.
os::Result<void> Run::attach() {
    for (const auto& observer : observers_) {
        if (auto attached = observer->attach({pipeline_, source_, loop_}); !attached)
            return attached.error();
        connect_observer(*observer, pipeline_);
    }
    return {};
}

os::Result<Confinement> Run::confine() {
    Observer::Needs needs;
    for (const auto& observer : observers_)
        observer->add_needs(needs);
    return enter_sandbox({.more_fds = kMoreFds,
                          .writable = needs.writable,
                          .renaming = needs.renaming,
                          .overwrite = needs.overwrite,
                          .start_threads =
                              [this] {
                                  for (const auto& observer : observers_)
                                      observer->start();
                                  source_.threads_started();
                              },
                          .listens = needs.listens,
                          .root_too = !config_.replay.empty()});
}

int Run::run() {
    if (auto attached = attach(); !attached)
        return fail(attached.error());
    auto confined = confine();
    if (!confined)
        return fail(confined.error(),
                    confined.error().number == EPERM ? "start 'privd --exec -- analyzer ...'" : "");
    confinement_ = *confined;
    begun_ns_ = os::now_ns(CLOCK_MONOTONIC);
    // Events are captured from now on. The service is ready before the processes that already run
    // are read, because other processes must not be able to stretch its start.
    notify_.ready("reading the processes that already run");
    const Source::Meanwhile meanwhile{
        .alive = [this] { notify_.alive(os::now_ns(CLOCK_MONOTONIC)); },
        .read = [this] { read(); }};
    if (auto begun = source_.begin(meanwhile); !begun)
        return fail(begun.error());
    notify_.status("watching");
    loop_.run();
    notify_.stopping();
    if (!pipeline_.stopped())
        source_.finish();
    pipeline_.release(~std::uint64_t{0}); // nothing answers any more
    return end();
}

std::size_t Run::read() {
    const std::size_t bytes = source_.read();
    const std::uint64_t now = os::now_ns(CLOCK_MONOTONIC);
    pipeline_.release(now);
    if (pipeline_.events() != measured_at_) {
        measured_at_ = pipeline_.events();
        const std::uint64_t time = os::now_ns(CLOCK_REALTIME),
                            event = pipeline_.state().previous_event_time();
        lag_ns_ = event != 0 && time > event ? time - event : 0;
    }
    for (const auto& observer : observers_)
        observer->tick({.now_ns = now, .lag_ns = lag_ns_});
    if (pipeline_.stopped())
        loop_.stop();
    notify_.alive(now);
    return bytes;
}

void Run::report() {
    output::append_statistics(err_.buffer(), {.engine = pipeline_.state(),
                                              .events = pipeline_.events(),
                                              .ns = os::now_ns(CLOCK_MONOTONIC) - begun_ns_,
                                              .live = source_.statistics(),
                                              .landlock_abi = confinement_.landlock_abi,
                                              .uid = confinement_.uid});
    for (const auto& observer : observers_)
        observer->report(err_.buffer());
    err_.flush();
}

int Run::end() {
    using Outcome = Observer::Outcome;
    std::vector<Outcome> outcomes;
    for (const auto& observer : observers_)
        outcomes.push_back(observer->end());
    const bool failed = std::ranges::find(outcomes, Outcome::failed) != outcomes.end();
    if (!failed && std::ranges::find(outcomes, Outcome::reader_gone) != outcomes.end())
        return 0;
    if (config_.settings.log_level >= config::Priority::informational)
        report();
    if (source_.error().empty())
        return failed ? 1 : 0;
    fmt::print(stderr, "analyzer: {}\n", source_.error());
    return 1;
}

} // namespace tiercel::app
