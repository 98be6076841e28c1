// SPDX-License-Identifier: Apache-2.0
#include "analyzer/app/session.h"

#include <cerrno>
#include <unistd.h>

#include "analyzer/app/run.h"
#include "analyzer/observers/alerter.h"
#include "analyzer/setup/interest.h"
#include "analyzer/setup/setup.h"
#include "analyzer/source/live_source.h"
#include "analyzer/source/replay_source.h"

namespace tiercel::app {

namespace {

int fail(const os::Error& error, std::string_view todo = {}) {
    os::print("analyzer", error, todo);
    return 1;
}

std::variant<Live, Refusal, os::Error> ask_privd(const Options& options, const Setup& setup) {
    wire::Request request = options.request;
    interest_of(options, setup).store(request);
    return open_live(options.socket, request);
}

int watch_live(const Options& options, Setup& setup, Pipeline& pipeline, Run::Takers takers) {
    auto opened = ask_privd(options, setup);
    if (const auto* refusal = std::get_if<Refusal>(&opened)) {
        fmt::print(stderr, "analyzer: {}\n", refusal->line);
        return 1;
    }
    if (const auto* error = std::get_if<os::Error>(&opened)) {
        const bool absent = error->number == ENOENT || error->number == ECONNREFUSED;
        return fail(*error,
                    absent ? "is it running? Start the pair with 'privd --exec -- analyzer ...'"
                           : "");
    }
    LiveSource source(std::get<Live>(std::move(opened)), pipeline);
    return Run(options, setup, pipeline, source, takers).run();
}

int watch_capture(const Options& options, Setup& setup, Pipeline& pipeline, Run::Takers takers) {
    auto source = ReplaySource::open(options.replay, pipeline);
    if (!source)
        return fail(source.error());
    return Run(options, setup, pipeline, *source, takers).run();
}

} // namespace

int watch(const Options& given) {
    const bool replay = !given.replay.empty();
    if (!replay && (getuid() == 0 || geteuid() == 0))
        return fail(os::error("watch", "as root: it needs no privilege and takes none", 0),
                    "start the pair with 'privd --exec -- analyzer ...'");
    Options options = given;
    const auto setup = read_setup(options);
    if (!setup)
        return 2; // the service is not started again, because it would find the same
    std::unique_ptr<Alerter> alerter;
    Pipeline pipeline(setup->fields);
    if (setup->rules) {
        if (!options.top) {
            auto opened = Alerter::open(*setup, options.events ? 0 : options.count);
            if (!opened)
                return fail(opened.error());
            alerter = *std::move(opened);
        }
        pipeline.set_rules(setup->rules, setup->settings.match_all ? rules::Matching::all
                                                                   : rules::Matching::first);
    }
    auto recording = Recording::open(options, *setup);
    if (!recording)
        return fail(recording.error());
    return (replay ? watch_capture : watch_live)(
        options, *setup, pipeline, {.alerter = alerter.get(), .recording = recording->get()});
}

} // namespace tiercel::app
