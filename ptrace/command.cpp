// SPDX-License-Identifier: Apache-2.0
#include "ptrace/command.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "ptrace/seccomp_filter.h"
#include "shared/wire/channel.h"

namespace tiercel::ptrace {

using os::Result;
using os::UniqueFd;

namespace {

[[noreturn]] void fail(const os::Error& error, int code = 1) {
    os::print("tiercel-trace", error, "");
    exit(code);
}

void must(bool good, const char* what, const char* on = "") {
    if (!good)
        fail(os::error(what, on));
}

// The tracer's side. It waits until the target has named it to Yama, which must come before
// attaching.
Result<void> introduce(const UniqueFd& control) {
    const pid_t self = getpid();
    char known = 0;
    if (auto sent = wire::send_record(control, &self, sizeof self); !sent)
        return sent;
    auto got = wire::receive_record(control, &known, sizeof known);
    return got ? Result<void>() : got.error();
}

Result<void> start(const UniqueFd& control, const std::vector<sock_filter>& filter) {
    return wire::send_record(control, filter.data(), filter.size() * sizeof(sock_filter));
}

// prctl(2), PR_SET_PTRACER. It fails without Yama, and is not needed then.
bool allow_tracer(const UniqueFd& control) {
    pid_t tracer = 0;
    if (!wire::receive_record(control, &tracer, sizeof tracer))
        return false;
    prctl(PR_SET_PTRACER, static_cast<unsigned long>(tracer), 0, 0, 0);
    return wire::send_record(control, "", 1).has_value();
}

bool take_filter(const UniqueFd& control) {
    static sock_filter program[BPF_MAXINSNS];
    auto got = wire::receive_record(control, program, sizeof program);
    if (!got)
        return false;
    if (auto installed = install_filter({program, *got / sizeof *program}); !installed)
        fail(installed.error());
    return true;
}

// Finds the program of that name before tracing starts, because the failed attempts of execvp(3)
// would otherwise show as the command's own events.
std::string find_program(const std::string& name) {
    const char* path = getenv("PATH");
    std::string_view rest = path ? path : "/bin:/usr/bin";
    if (name.find('/') != std::string::npos)
        return name;
    while (!rest.empty()) {
        const std::string_view directory = rest.substr(0, rest.find(':'));
        rest.remove_prefix(std::min(directory.size() + 1, rest.size()));
        std::string candidate = std::string(directory.empty() ? "." : directory) + "/" + name;
        struct stat found {};
        if (stat(candidate.c_str(), &found) == 0 && S_ISREG(found.st_mode) &&
            access(candidate.c_str(), X_OK) == 0)
            return candidate;
    }
    return name;
}

} // namespace

void become_command(char* const* command, int (*trace)(Target target)) {
    int ends[2] = {-1, -1}, status = 0;
    must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0, "make a socket pair");
    UniqueFd ours(ends[0]), theirs(ends[1]);
    const pid_t self = getpid(), child = fork();
    if (child == 0) {
        ours.reset();
        if (const pid_t tracer = fork(); tracer != 0)
            _exit(tracer < 0);
        setsid();
        const UniqueFd null(open("/dev/null", O_RDWR | O_CLOEXEC));
        for (int stream : {STDIN_FILENO, STDOUT_FILENO})
            dup2(null.get(),
                 stream); // or the command's pipes stay open after the command has closed them
        if (auto introduced = introduce(theirs); !introduced)
            _exit(1);
        _exit(trace({.pid = self, .waits = true, .start = start, .control = std::move(theirs)}));
    }
    must(child > 0 && waitpid(child, &status, 0) == child && status == 0, "start the tracer");
    theirs.reset();
    const std::string program = find_program(command[0]);
    if (!allow_tracer(ours) || !take_filter(ours))
        exit(1);                      // the tracer has printed the reason
    execvp(program.c_str(), command); // closes our remaining descriptors

    fail(os::error("run", command[0]), errno == ENOENT ? 127 : 126);
}

} // namespace tiercel::ptrace
