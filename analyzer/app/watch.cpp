// SPDX-License-Identifier: Apache-2.0
#include "analyzer/app/watch.h"

#include <cerrno>
#include <unistd.h>

#include "analyzer/app/live_source.h"
#include "analyzer/app/run.h"

namespace tiercel::app {

namespace {

int fail(const os::Error& error, std::string_view todo = {}) {
    os::print("analyzer", error, todo);
    return 1;
}

} // namespace

int watch(const Options& options) {
    if (getuid() == 0 || geteuid() == 0)
        return fail(os::error("watch", "as root: it needs no privilege and takes none", 0),
                    "start the pair with 'privd --exec -- analyzer ...'");
    wire::Request request = options.request;
    Selection(options.syscalls).set_interest(request);
    auto opened = open_live(options.socket, request);
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
    const filter::Fields fields;
    Pipeline pipeline(fields);
    LiveSource source(std::get<Live>(std::move(opened)), pipeline);
    return Run(options, pipeline, source).run();
}

} // namespace tiercel::app
