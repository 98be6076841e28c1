// SPDX-License-Identifier: Apache-2.0
#include "analyzer/app/run.h"

#include <cerrno>
#include <unistd.h>

#include "analyzer/app/clock.h"

namespace tiercel::app {

namespace {

constexpr unsigned kFdsForTheDoor = 16;

int fail(const os::Error& error, std::string_view todo = {}) {
    os::print("analyzer", error, todo);
    return 1;
}

} // namespace

Run::Run(const Options& options, Pipeline& pipeline, Source& source)
    : pipeline_(pipeline), source_(source), printer_(options), err_(STDERR_FILENO),
      loop_(source.wakeups(), source.ends_with_wakeups(), source.room(), options.seconds,
            {.read = [this] { return read(); }, .report = [this] { report(); }}) {
    pipeline.on_event([this](const Pipeline::Event& event) {
        if (!printer_.show(event))
            pipeline_.stop();
    });
}

int Run::run() {
    auto notify = Notify::from_environment();
    if (!notify)
        return fail(notify.error());
    notify_ = *std::move(notify);
    auto confined = enter_sandbox(kFdsForTheDoor);
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
        read(); // what happened up to the end
    return end();
}

std::size_t Run::read() {
    const std::size_t bytes = source_.read();
    if (!printer_.flush() || !err_.flush())
        pipeline_.stop();
    if (pipeline_.stopped())
        loop_.stop();
    notify_.alive(now_ns(CLOCK_MONOTONIC));
    return bytes;
}

void Run::report() {
    output::append_statistics(err_.buffer(), {.engine = pipeline_.state(),
                                              .events = pipeline_.events(),
                                              .shown = printer_.shown(),
                                              .ns = now_ns(CLOCK_MONOTONIC) - begun_,
                                              .live = source_.statistics(),
                                              .landlock_abi = confinement_.landlock_abi,
                                              .uid = confinement_.uid});
    err_.flush();
}

int Run::end() {
    printer_.flush();
    if (printer_.error() == EPIPE)
        return 0; // whoever read it has seen enough
    if (printer_.error() != 0)
        return fail(os::error("write", "events to standard output", printer_.error()));
    report();
    return 0;
}

} // namespace tiercel::app
