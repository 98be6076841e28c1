// SPDX-License-Identifier: Apache-2.0
//
// privd: the privileged helper. It loads the probe, hands it over to the analyzer, and leaves.
// Here: the command line, and what to do with the socket that was passed (exec.cpp makes them).
#include "privd/options.h"

#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

using namespace tiercel;
using namespace tiercel::privd;
using os::UniqueFd;
using policy::Phase;

namespace {

struct Options {
    Account user, peer; // whom privd becomes, who may connect
    bool stay;
    const char* btf;
};

// All privilege that the load does not need is given up here, before a peer says anything.
Session prepare(const Options& options) {
    policy::Plan plan = plan_here();
    Session session{.plan = plan,
                    .refusal = driver.prepare(options.btf, options.user),
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
    bool good = !parse(argc, argv, values);
    UniqueFd passed = activated();
    const wire::DriverRow* chosen = find_loader(values['D'] ? values['D'] : "modern_bpf");
    if (!good || !passed.valid() || !chosen)
        become_program("-exec", "", argv); // which makes a socket, or says what is wrong
    if (driver.name == wire::Driver::modern && chosen->driver != driver.name)
        become_program(chosen->loader, "", argv);
    Options options{find_account(values['u']),
                    find_account(values['p'] ? values['p'] : values['u']), values['S'] != nullptr,
                    values['b']};
    return leave(run_behind(std::move(passed), options, !values['s']));
}
