// SPDX-License-Identifier: Apache-2.0
//
// tiercel-trace, the ptrace driver. It needs no privilege: it traces what its user may trace. This
// file parses the command line and explains the kernel's refusals.
#include <getopt.h>

#include <climits>
#include <cstdio>
#include <cstring>
#include <string>

#include "policy/privilege/facts.h"
#include "ptrace/command.h"
#include "shared/os/file.h"

using namespace tiercel;
using namespace tiercel::ptrace;

namespace {

constexpr char kHelp[] =
    "tiercel-trace " TIERCEL_VERSION
    ": shows the events of one program by ptrace, without privilege\n"
    "  tiercel-trace [--analyzer COMMAND | --socket PATH] [--user NAME] [--] COMMAND "
    "[ARGUMENT...]\n"
    "  tiercel-trace [--analyzer COMMAND | --socket PATH] [--user NAME] -p PID\n"
    "  tiercel-trace --help | --version\n"
    "COMMAND      runs the command and traces it with all its descendants; it keeps its exit code\n"
    "             and its signals\n"
    "-p PID       traces a running process, and what it starts from now on, until SIGINT\n"
    "--analyzer   the shell command that gets the events; default: the analyzer beside this\n"
    "             program, with --events. Its standard output goes to standard error.\n"
    "--socket     waits at PATH for an analyzer instead: analyzer --events --connect PATH\n"
    "--user       the analyzer's account if this program runs as root; default: tiercel if it\n"
    "             exists, else nobody. With --socket: an account that may connect besides this "
    "one.\n"
    "Exit codes: the command's; 127 if there is no such command, 126 if it cannot be run, 1 if it\n"
    "cannot be traced, 2 for wrong usage. With -p: 0, or 1 after a failure.\n";

const char* analyzer_command = nullptr;
const char* socket_path = nullptr;
const char* account = nullptr;

int usage(const char* fault, const char* what) {
    os::write_stderr("tiercel-trace: %s%s; see tiercel-trace --help\n", fault, what);
    return 2;
}

// Says what the user can do about a refusal (ptrace(2), and Yama's documentation in the kernel).
const char* advice(int number) {
    if (number != EPERM)
        return "";
    switch (policy::gather_facts().ptrace_scope) {
    case 1:
        return "kernel.yama.ptrace_scope is 1: run the program under tiercel-trace, or trace it as "
               "root";
    case 2: return "kernel.yama.ptrace_scope is 2: only root may trace";
    case 3: return "kernel.yama.ptrace_scope is 3: no process may trace until the next boot";
    default: return "the process belongs to another user, or another program traces it already";
    }
}

std::string beside_this_program(const char* name) {
    char path[PATH_MAX] = {};
    if (readlink("/proc/self/exe", path, sizeof path - 1) <= 0)
        return name;
    std::string found(path);
    return found.substr(0, found.rfind('/') + 1) + name;
}

int trace(Target target) {
    const std::string standard = "'" + beside_this_program("analyzer") + "' --events";
    auto peer = socket_path
                    ? await_peer(socket_path, account)
                    : start_peer(analyzer_command ? analyzer_command : standard.c_str(), account);
    if (!peer) {
        os::print("tiercel-trace", peer.error(), "");
        return 1;
    }
    auto done = run_session(std::move(*peer), std::move(target));
    if (done)
        return *done;
    if (done.error().number != ECONNRESET) // an analyzer that ended has printed the reason
        os::print("tiercel-trace", done.error(), advice(done.error().number));
    return 1;
}

constexpr option kTable[] = {
    {"analyzer", required_argument, nullptr, 'a'}, {"socket", required_argument, nullptr, 's'},
    {"user", required_argument, nullptr, 'u'},     {"help", no_argument, nullptr, 'h'},
    {"version", no_argument, nullptr, 'v'},        {},
};

} // namespace

int main(int argc, char** argv) {
    const char* values[128] = {}; // by the option's letter
    opterr = 0;
    for (int chosen; (chosen = getopt_long(argc, argv, "+p:h", kTable, nullptr)) != -1;) {
        if (chosen == '?')
            return usage("unknown or incomplete option ", argv[optind - 1]);
        values[chosen] = optarg ? optarg : "";
    }
    if (values['h'] || values['v'])
        return fputs(values['h'] ? kHelp : "tiercel-trace " TIERCEL_VERSION "\n", stdout) < 0;
    if (!values['p'] == (optind == argc))
        return values['p'] ? usage("-p and a command exclude each other", "")
                           : usage("nothing to trace: give a command or -p PID", "");
    if (values['a'] && values['s'])
        return usage("--analyzer and --socket exclude each other", "");
    analyzer_command = values['a'];
    socket_path = values['s'];
    account = values['u'];
    if (!values['p'])
        become_command(argv + optind, trace);
    const auto pid = os::parse_unsigned(values['p']);
    if (!pid || *pid == 0 || *pid > INT_MAX)
        return usage("-p takes the number of a process, not ", values['p']);
    Target target;
    target.pid = static_cast<pid_t>(*pid);
    return trace(std::move(target));
}
