// SPDX-License-Identifier: Apache-2.0
//
// privd: the privileged helper. It loads the probe, hands it over to the analyzer, and leaves.
// Here: the command line, and the two ways to run: beside an analyzer that it starts, or behind a
// socket.
#include "privd/privd.h"

#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <getopt.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

using namespace tiercel;
using namespace tiercel::privd;
using os::UniqueFd;
using policy::Phase;

namespace {

constexpr char help[] =
    "privd " TIERCEL_VERSION ": loads the probe, hands it over to the analyzer, and leaves\n"
    "  privd [OPTION...] --exec -- ANALYZER [ARGUMENT...]\n"
    "  privd [OPTION...] [--peer-user NAME] --socket PATH   (or systemd's LISTEN_FDS)\n"
    "  privd [--user NAME] --prove-caps [--driver NAME] [--json]\n"
    "  privd --help | --version\n"
    "--user       account to become; default: tiercel if it exists, else nobody, when run as root\n"
    "--peer-user  the only account that may connect; default: that of --user\n"
    "--driver     modern_bpf (default) or classic_bpf: each is a program of its own\n"
    "--btf        classic_bpf: describes this kernel's types, where it has no BTF itself\n"
    "--stay       stay after the hand-over with no capability, until the analyzer ends: for those "
    "who\n"
    "             start again whatever exits\n"
    "--prove-caps try the load with each capability removed; exit 1 if plan and kernel disagree\n"
    "Exit codes: 0 done, 1 failure, 2 usage. With --exec: the analyzer's.\n";

struct Options {
    Account user, peer; // whom privd becomes, who may connect
    bool stay;
    const char* btf;
};

int usage(const char* complaint, const char* what) {
    fprintf(stderr, "privd: %s%s; see privd --help\n", complaint, what);
    return 2;
}

// All privilege that the load does not need is given up here, before a peer says anything.
Session prepare(const Options& options) {
    policy::Plan plan = plan_here();
    Session session{.plan = plan,
                    .refusal = driver.prepare(options.btf),
                    .stay = options.stay,
                    .serves = options.peer.uid};
    become(options.user, plan.held(Phase::start));
    rlimit infinite{RLIM_INFINITY, RLIM_INFINITY};
    std::uint64_t missing = plan.held(Phase::load) & ~hold_only(plan.held(Phase::raise_limit));
    if (missing)
        session.refusal = {.status = wire::Status::missing_capability, .detail = missing};
    if (plan.raise_memlock && setrlimit(RLIMIT_MEMLOCK, &infinite) < 0)
        session.refusal = {.status = wire::Status::memlock, .error = errno};
    hold_only(plan.held(Phase::load));
    must(policy::allow_only(driver.load_calls).has_value(), "install a seccomp filter");
    return session;
}

os::Result<void> serve(Session& session, UniqueFd socket) {
    session.socket = std::move(socket);
    socklen_t length = sizeof session.peer;
    must(getsockopt(session.socket.get(), SOL_SOCKET, SO_PEERCRED, &session.peer, &length) == 0,
         "identify the peer");
    return session.run();
}

// The loader's whole life, in the grandchild. The pair was made by the process that becomes the
// analyzer, so its SO_PEERCRED names that process.
int load_for(UniqueFd socket, const Options& options) {
    UniqueFd null(open("/dev/null", O_RDWR | O_CLOEXEC));
    for (int stream : {STDIN_FILENO, STDOUT_FILENO})
        dup2(null.get(), stream); // the analyzer's pipes must close when the analyzer closes them
    null.reset();
    Session session = prepare(options);
    session.serves = any_uid;
    auto done = serve(session, std::move(socket));
    if (!done && done.error().number != ECONNRESET) // an analyzer that ended has said why
        os::print("privd", done.error(), "");
    return done ? 0 : 1;
}

// Does not return, though not declared so: before _exit() and its like a sanitizer calls what the
// filters refuse.
int leave(int code) {
    return static_cast<int>(syscall(SYS_exit_group, code));
}

// This very process becomes the analyzer, so that its exit code and signals are the analyzer's; a
// grandchild, which is not the analyzer's to reap, loads the probe, hands it over and leaves.
void run_beside(const Options& options, char* const* command) {
    int ends[2], status = 0;
    must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0, "make a socket pair");
    UniqueFd ours(ends[0]), theirs(ends[1]);
    pid_t child = fork();
    if (child == 0) {
        theirs.reset();
        if (pid_t loader = fork(); loader != 0)
            _exit(loader < 0);
        leave(load_for(std::move(ours), options));
    }
    must(waitpid(child, &status, 0) == child && status == 0, "start the loader");
    ours.reset();
    become(options.user, 0);
    char number[16];
    snprintf(number, sizeof number, "%d", theirs.get());
    must(setenv("TIERCEL_PRIVD_FD", number, 1) == 0 && fcntl(theirs.get(), F_SETFD, 0) == 0,
         "pass the socket on");
    execvp(command[0], command);
    must(false, "run", command[0]);
}

UniqueFd listen_at(const char* path, const Options& options) {
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    errno = ENAMETOOLONG;
    must(strlen(path) < sizeof address.sun_path, "listen at", path);
    strcpy(address.sun_path, path);
    UniqueFd probe(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    bool busy = connect(probe.get(), generic, sizeof address) == 0;
    if (!busy && errno == ECONNREFUSED) // left behind by one that has gone
        unlink(path);
    umask(0117);
    UniqueFd listener(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    must(bind(listener.get(), generic, sizeof address) == 0, "listen (is there another privd?) at",
         path);
    must((geteuid() != 0 || chown(path, options.user.uid, options.peer.gid) == 0) &&
             listen(listener.get(), 1) == 0,
         "listen at", path);
    return listener;
}

// sd_listen_fds(3): the first passed fd is 3.
UniqueFd activated() {
    const char* pid = getenv("LISTEN_PID");
    const char* count = getenv("LISTEN_FDS");
    int type = 0;
    socklen_t length = sizeof type;
    bool passed = pid && count && atoi(pid) == getpid() && strcmp(count, "1") == 0 &&
                  getsockopt(3, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_SEQPACKET;
    errno = 0;
    must(passed, "serve: no --socket, and no ListenSequentialPacket= socket was passed");
    return UniqueFd(3);
}

// `once`: whoever made the socket starts another privd for the next peer, so that none waits with
// privilege in hand.
int run_behind(UniqueFd listener, const Options& options, bool once) {
    for (Session session = prepare(options);;) {
        UniqueFd socket(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
        timeval patience{1, 0}; // the analyzer asks as soon as it is connected
        for (int which : {SO_RCVTIMEO, SO_SNDTIMEO})
            setsockopt(socket.get(), SOL_SOCKET, which, &patience, sizeof patience);
        auto served = serve(session, std::move(socket));
        bool ends = once || session.phase != Phase::load;
        if (!served)
            os::print("privd", served.error(), ends ? "" : "waiting for the next peer");
        if (ends)
            return served ? 0 : 1; // what a second load would need has been dropped
    }
}

// Each driver, and the proof, is a program of its own beside this one: none of it is in what serves
// here.
void become_program(const char* suffix, char** argv) {
    char path[PATH_MAX] = {};
    must(readlink("/proc/self/exe", path, sizeof path - 16) > 0, "find this program");
    execv(strcat(path, suffix), argv);
    must(false, "run", path);
}

constexpr option table[] = {
    {"user", required_argument, nullptr, 'u'},
    {"peer-user", required_argument, nullptr, 'p'},
    {"socket", required_argument, nullptr, 's'},
    {"driver", required_argument, nullptr, 'D'},
    {"btf", required_argument, nullptr, 'b'},
    {"door", no_argument, nullptr, 'd'},
    {"stay", no_argument, nullptr, 'S'},
    {"exec", no_argument, nullptr, 'e'},
    {"prove-caps", no_argument, nullptr, 'c'},
    {"json", no_argument, nullptr, 'j'},
    {"help", no_argument, nullptr, 'h'},
    {"version", no_argument, nullptr, 'v'},
    {},
};

} // namespace

int main(int argc, char** argv) {
    const char* values[128] = {}; // by the option's letter
    opterr = 0;
    for (int chosen; (chosen = getopt_long(argc, argv, "+", table, nullptr)) != -1;) {
        if (chosen == '?')
            return usage("unknown or incomplete option ", argv[optind - 1]);
        values[chosen] = optarg ? optarg : "";
    }
    if (values['h'] || values['v'])
        return fputs(values['h'] ? help : "privd " TIERCEL_VERSION "\n", stdout) < 0;
    if (!values['e'] != (optind == argc))
        return usage(values['e'] ? "--exec needs a command" : "unexpected argument ",
                     values['e'] ? "" : argv[optind]);
    std::string_view name = values['D'] ? values['D'] : "modern_bpf";
    bool modern = driver.name == wire::Driver::modern; // and so the one who starts the others
    if (modern && name != "modern_bpf" && name != "classic_bpf")
        return usage("--driver is modern_bpf or classic_bpf, not ", values['D']);
    bool classic = !modern || name == "classic_bpf";
    if (values['c'])
        become_program(classic ? "-classic-prove" : "-prove", argv);
    if (values['j'])
        return usage("--json is for --prove-caps", "");
    if (modern && classic)
        become_program("-classic", argv);
    Options options{find_account(values['u']),
                    find_account(values['p'] ? values['p'] : values['u']), values['S'] != nullptr,
                    values['b']};
    if (values['e'])
        run_beside(options, argv + optind);
    const char* path = values['s'];
    return leave(run_behind(path ? listen_at(path, options) : activated(), options, !path));
}
