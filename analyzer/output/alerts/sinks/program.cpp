// SPDX-License-Identifier: Apache-2.0
//
// The program runs outside the sandbox, because it is started before. With keep_alive it gets all
// alerts on its standard input. Without keep_alive, which is Falco's default, a shell starts it
// once for each alert, one after the other; the output's queue bounds how many alerts wait.
#include <spawn.h>
#include <sys/socket.h>

#include "analyzer/output/alerts/sinks/fd_sink.h"

namespace tiercel::alerts {

namespace {

// $1 is the command.
constexpr const char* kOncePerAlert =
    R"(while IFS= read -r alert; do printf '%s\n' "$alert" | /bin/sh -c "$1"; done)";

// Starts the shell with standard input from `input`. No other descriptor reaches it, because
// inherited ones may be privd's sockets.
int start_shell(const os::UniqueFd& input, char* const* arguments) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input.get(), STDIN_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
    pid_t child = -1;
    const int failure = posix_spawn(&child, "/bin/sh", &actions, nullptr, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    return failure;
}

} // namespace

os::Result<std::unique_ptr<Sink>> open_program(const config::Settings& settings) {
    const std::string& command = settings.output(config::Output::program).target;
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return os::error("make a channel to the alert program");
    os::UniqueFd ours(ends[0]), theirs(ends[1]);
    shutdown(theirs.get(), SHUT_WR);
    std::string shell = "sh", option = "-c", script = kOncePerAlert, name = "tiercel",
                line = command;
    const bool keep = settings.program_keep_alive;
    char* const arguments[] = {shell.data(),
                               option.data(),
                               keep ? line.data() : script.data(),
                               keep ? nullptr : name.data(),
                               keep ? nullptr : line.data(),
                               nullptr};
    if (const int failure = start_shell(theirs, arguments); failure != 0)
        return os::error("start the alert program", command, failure);
    return std::unique_ptr<Sink>(
        std::make_unique<StreamSink>("program " + command, std::move(ours)));
}

} // namespace tiercel::alerts
