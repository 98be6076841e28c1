// SPDX-License-Identifier: Apache-2.0
//
// analyzer: the unprivileged program. It decodes events, matches rules and writes alerts.
#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <sstream>

#include "analyzer/app/listing.h"
#include "analyzer/app/session.h"
#include "analyzer/explain/explain.h"
#include "analyzer/language/list.h"
#include "analyzer/output/event_line.h"
#include "analyzer/service/passed_fds.h"
#include "analyzer/setup/command_line.h"
#include "shared/os/inherited.h"
#include "shared/os/result.h"

using namespace tiercel;

namespace {

// Opens /dev/null for a closed standard stream, because a file that is opened later would take its
// number. Returns false if standard output is closed.
bool standard_streams_are_open() {
    for (const int fd : {STDIN_FILENO, STDERR_FILENO})
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
            return false;
    return fcntl(STDOUT_FILENO, F_GETFD) >= 0;
}

int print(std::string_view text) {
    output::Writer out(STDOUT_FILENO);
    out.buffer().append(text.data(), text.data() + text.size());
    if (out.flush() || out.error() == EPIPE)
        return 0;
    os::print("analyzer", os::error("write", "to standard output", out.error()), "");
    return 1;
}

int explain(const app::CommandLine& given) {
    explain::Options what{.driver = {},
                          .json = given.form == app::Form::json,
                          .details = given.details,
                          .color = output::wants_colour(STDOUT_FILENO)};
    if (given.driver && *given.driver != wire::Driver::automatic)
        what.driver = *given.driver;
    std::ostringstream text;
    const int code = explain::explain_caps(what, text);
    const int printed = print(text.str());
    return printed != 0 ? printed : code;
}

int run(const app::CommandLine& given) {
    using Task = app::CommandLine::Task;
    output::Buffer text;
    switch (given.task) {
    case Task::help: return print(app::help_text());
    case Task::version: return print("analyzer " TIERCEL_VERSION "\n");
    case Task::list_syscalls: app::list_syscalls(text); return print({text.data(), text.size()});
    case Task::list_events:
        app::list_events(text, given.form);
        return print({text.data(), text.size()});
    case Task::list_fields: return print(app::list_fields(given.form));
    case Task::list_operators: return print(filter::list_operators());
    case Task::explain_caps: return explain(given);
    case Task::explain_filter: return app::explain_filter(given);
    case Task::validate: return app::validate(given);
    case Task::watch: return app::watch(given);
    }
    return 1;
}

} // namespace

int main(int argc, char** argv) {
    app::note_passed_names();
    os::inherited(); // closes inherited descriptors on exec, so that no program gets them
    if (!standard_streams_are_open()) {
        os::print("analyzer", os::error("write", "to standard output: it is closed", 0), "");
        return 1;
    }
    signal(SIGPIPE, SIG_IGN);
    const auto parsed = app::parse_command_line(argc, argv);
    if (const auto* problem = std::get_if<std::string>(&parsed)) {
        fprintf(stderr, "analyzer: %s; see analyzer --help\n", problem->c_str());
        return 2;
    }
    try {
        return run(std::get<app::CommandLine>(parsed));
    } catch (const std::exception& error) {
        fprintf(stderr, "analyzer: %s\n", error.what());
        return 1;
    }
}
