// SPDX-License-Identifier: Apache-2.0
//
// privd: the privileged helper. It loads the probe, hands it over to the analyzer, and leaves.
// Here: the command line, and the two ways to run: beside an analyzer that it starts, or behind a
// socket.
#include "privd/options.h"

#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

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
    "--driver     modern_bpf (default), classic_bpf or module. With --exec the default is auto:\n"
    "             all of them are offered, and the analyzer takes the first that works\n"
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

// Does not return, though not declared so: before _exit() and its like a sanitizer calls what the
// filters refuse.
int leave(int code) {
    return static_cast<int>(syscall(SYS_exit_group, code));
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

// sd_listen_fds(3): the first passed fd is 3. Invalid when none was, or another kind.
UniqueFd activated() {
    const char* pid = getenv("LISTEN_PID");
    const char* count = getenv("LISTEN_FDS");
    int type = 0;
    socklen_t length = sizeof type;
    bool passed = pid && count && atoi(pid) == getpid() && strcmp(count, "1") == 0 &&
                  getsockopt(3, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_SEQPACKET;
    return UniqueFd(passed ? 3 : -1);
}

// `once`: whoever made the socket starts another privd for the next peer, so that none waits with
// privilege in hand. A socket that does not listen is the one peer's: --exec's, or Accept=yes.
int run_behind(UniqueFd listener, const Options& options, bool once) {
    int listens = 0;
    socklen_t length = sizeof listens;
    getsockopt(listener.get(), SOL_SOCKET, SO_ACCEPTCONN, &listens, &length);
    for (Session session = prepare(options);;) {
        UniqueFd socket(listens ? accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC)
                                : listener.release());
        timeval patience{1, 0}; // the analyzer asks as soon as it is connected
        for (int which : {SO_RCVTIMEO, SO_SNDTIMEO})
            if (listens)
                setsockopt(socket.get(), SOL_SOCKET, which, &patience, sizeof patience);
        if (!listens)
            session.serves = any_uid; // whoever has the socket was given it
        auto served = serve(session, std::move(socket));
        bool ends = once || session.phase != Phase::load;
        bool told = !listens && !served && served.error().number == ECONNRESET; // by the analyzer
        if (!served && !told)
            os::print("privd", served.error(), ends ? "" : "waiting for the next peer");
        if (ends)
            return served ? 0 : 1; // what a second load would need has been dropped
    }
}

} // namespace

int main(int argc, char** argv) {
    const char* values[128] = {}; // by the option's letter
    if (const char* wrong = parse(argc, argv, values))
        return usage("unknown or incomplete option ", wrong);
    if (values['h'] || values['v'])
        return fputs(values['h'] ? help : "privd " TIERCEL_VERSION "\n", stdout) < 0;
    if (!values['e'] != (optind == argc))
        return usage(values['e'] ? "--exec needs a command" : "unexpected argument ",
                     values['e'] ? "" : argv[optind]);
    std::string_view name = values['D'] ? values['D'] : values['e'] ? "auto" : "modern_bpf";
    const char* suffix = values['e'] && name == "auto" ? "" : nullptr;
    for (const Program& program : programs)
        if (program.driver == name)
            suffix = program.suffix;
    if (!suffix)
        return usage("there is no such driver here: ", values['D']);
    if (values['c'])
        become_program(suffix, "-prove", argv);
    if (values['j'])
        return usage("--json is for --prove-caps", "");
    UniqueFd passed = activated();
    if (values['e'] && !passed.valid())
        become_program("-exec", "", argv);
    if (driver.name == wire::Driver::modern && *suffix)
        become_program(suffix, "", argv);
    Options options{find_account(values['u']),
                    find_account(values['p'] ? values['p'] : values['u']), values['S'] != nullptr,
                    values['b']};
    const char* path = values['s'];
    errno = 0;
    must(path || passed.valid(), "serve: no --socket, and no socket was passed");
    return leave(run_behind(path ? listen_at(path, options) : std::move(passed), options, !path));
}
