// SPDX-License-Identifier: Apache-2.0
//
// Implements tiercel-keeper, which keeps an analyzer's rings, links and iterators where no service
// manager does, so that the next analyzer goes on with the same probe. It holds no capability.
//
// With a command it starts the analyzer, and another one whenever a signal such as SIGKILL or
// SIGSEGV ends it. With --socket it serves one analyzer after another, which a container runtime
// starts.
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "keeper/store.h"
#include "policy/privilege/keeper_syscalls.h"
#include "shared/os/listener.h"

using namespace tiercel;
using os::UniqueFd;

namespace {

constexpr char kHelp[] =
    "tiercel-keeper " TIERCEL_VERSION ": keeps what an analyzer got from privd for the next one\n"
    "  tiercel-keeper -- ANALYZER [ARGUMENT...]\n"
    "  tiercel-keeper --socket PATH\n"
    "--socket     serve analyzers of the same account, which find it by TIERCEL_KEEPER=PATH in\n"
    "             their environment\n"
    "--help       print this\n"
    "--version    print the version\n"
    "Exit codes: 1 failure, 2 usage. With a command, which"
    " is started again if a signal kills it: the analyzer's.\n";

constexpr useconds_t kPauseUs = 20'000; // as RestartSec= of the service

// Static, because a handler of signals and every turn of the loop use them.
keeper::Store store;
volatile pid_t child = 0;
volatile sig_atomic_t is_told_to_end = 0;

// Prints one line and ends the keeper if `good` is false.
void must(bool good, const char* what, std::string_view on = {}) {
    if (good)
        return;
    os::print("tiercel-keeper", os::error(what, on), "");
    std::_Exit(1);
}

// Passes the signal on to the analyzer, unless the terminal has sent it to both.
void pass_on(int signal, siginfo_t* info, void*) {
    if (signal == SIGINT || signal == SIGTERM)
        is_told_to_end = 1;
    if (info->si_code <= 0 && child > 0)
        kill(child, signal);
}

void end(int) {
    _exit(0); // as the first process of a container it has no default action
}

void catch_signals() {
    struct sigaction action {};
    action.sa_sigaction = pass_on;
    action.sa_flags = SA_SIGINFO;
    for (int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2})
        must(sigaction(signal, &action, nullptr) == 0, "catch signals");
}

// The analyzer takes a descriptor for each later start, which may be more than the usual 1,024.
void raise_limit() {
    rlimit limit{};
    must(getrlimit(RLIMIT_NOFILE, &limit) == 0, "read a limit");
    limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 2 * keeper::kMost);
    must(setrlimit(RLIMIT_NOFILE, &limit) == 0, "raise a limit");
}

// Sets the variable to a number.
void set_number(const char* name, long number) {
    char text[24];
    snprintf(text, sizeof text, "%ld", number);
    must(setenv(name, text, 1) == 0, "name a descriptor");
}

[[noreturn]] void become_analyzer(int socket, pid_t keeper, char** command) {
    must(prctl(PR_SET_PDEATHSIG, SIGTERM) == 0 && getppid() == keeper, "follow the keeper");
    must(fcntl(socket, F_SETFD, 0) == 0, "keep a socket");
    set_number("TIERCEL_KEEPER", socket);
    if (getenv("LISTEN_PID") != nullptr) // sockets that were passed are the analyzer's
        set_number("LISTEN_PID", getpid());
    execvp(command[0], command);
    os::print("tiercel-keeper", os::error("run", command[0]), "");
    _exit(127);
}

// The sockets of the loaders are the first analyzer's. A loader ends when all have closed them.
void close_loaders() {
    const char* rest = getenv("TIERCEL_PRIVD_FD");
    while (rest != nullptr && *rest != '\0') {
        char* end = nullptr;
        long fd = strtol(rest, &end, 10);
        if (end == rest)
            break;
        close(static_cast<int>(fd));
        rest = *end == ',' ? end + 1 : end;
    }
    unsetenv("TIERCEL_PRIVD_FD");
}

// Returns how the analyzer ended, as waitpid(2) tells.
int run_once(char** command) {
    int ends[2];
    must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0, "make a socket pair");
    UniqueFd ours(ends[0]), theirs(ends[1]);
    pid_t self = getpid();
    pid_t started = fork();
    must(started >= 0, "start", command[0]);
    if (started == 0)
        become_analyzer(theirs.get(), self, command);
    child = started;
    theirs.reset();
    close_loaders();
    auto served = keeper::serve(store, ours);
    bool gone = !served && (served.error().number == EPIPE || served.error().number == ECONNRESET);
    if (!served && !gone)
        os::print("tiercel-keeper", served.error(), "a killed analyzer is not followed by another");
    int status = 0;
    while (waitpid(started, &status, 0) < 0)
        must(errno == EINTR, "wait for", command[0]);
    child = 0;
    return status;
}

// Starts analyzers until one ends by itself, or the keeper is told to end. Returns the exit code.
int run(char** command) {
    catch_signals();
    raise_limit();
    for (;;) {
        int status = run_once(command);
        if (WIFEXITED(status))
            return WEXITSTATUS(status);
        int signal = WTERMSIG(status);
        bool meant = signal == SIGTERM || signal == SIGINT || signal == SIGHUP || signal == SIGPIPE;
        if (is_told_to_end != 0 || meant || store.empty())
            return 128 + signal;
        os::write_stderr("tiercel-keeper: signal %d ended the analyzer; another one goes on with "
                         "the same probe\n",
                         signal);
        usleep(kPauseUs);
    }
}

// Only the keeper's own account is served.
os::Result<void> serve_one(UniqueFd peer) {
    ucred credentials{};
    socklen_t length = sizeof credentials;
    timeval patience{.tv_sec = 5, .tv_usec = 0};
    if (getsockopt(peer.get(), SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0 ||
        setsockopt(peer.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) != 0)
        return os::error("take", "a peer");
    if (credentials.uid != geteuid())
        return os::error("serve", "this user", EPERM);
    return keeper::serve(store, peer);
}

[[noreturn]] void listen(const char* path) {
    auto listener = os::listen_at(path, SOCK_SEQPACKET);
    if (!listener) {
        os::print("tiercel-keeper", listener.error(), "");
        std::_Exit(1);
    }
    raise_limit();
    signal(SIGTERM, end);
    must(prctl(PR_SET_DUMPABLE, 0) == 0, "give up privilege");
    policy::report_refused_calls("tiercel-keeper");
    must(policy::allow_only(policy::kKeeperSteady, policy::Refused::report).has_value(),
         "install a seccomp filter");
    for (;;) {
        UniqueFd peer(accept4(listener->get(), nullptr, nullptr, SOCK_CLOEXEC));
        must(peer.valid(), "take a peer");
        if (auto served = serve_one(std::move(peer)); !served)
            os::print("tiercel-keeper", served.error(), "waiting for the next analyzer");
    }
}

} // namespace

int main(int argc, char** argv) {
    const char* first = argc > 1 ? argv[1] : "";
    if (strcmp(first, "--help") == 0)
        return fputs(kHelp, stdout) < 0;
    if (strcmp(first, "--version") == 0)
        return fputs("tiercel-keeper " TIERCEL_VERSION "\n", stdout) < 0;
    bool starts = strcmp(first, "--") == 0 && argc > 2;
    if (!starts && !(strcmp(first, "--socket") == 0 && argc == 3)) {
        os::write_stderr("tiercel-keeper: it needs --socket PATH or a command; see "
                         "tiercel-keeper --help\n");
        return 2;
    }
    errno = 0;
    must(geteuid() != 0,
         "run as root: it needs no privilege; start it with the analyzer's account");
    must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "give up privilege");
    if (starts)
        return run(argv + 2);
    listen(argv[2]);
}
