// SPDX-License-Identifier: Apache-2.0
//
// Implements the server: from the socket that was passed to the end of the process. It opens what
// needs a path, becomes its account, drops what the load does not need, reads the kernel's types,
// closes its seccomp filter, and only then listens to a peer.
#include "privd/server.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "policy/privilege/privd_syscalls.h"
#include "policy/privilege/start_syscalls.h"
#include "privd/options.h"
#include "shared/os/inherited.h"

namespace tiercel::privd {

namespace {

using os::UniqueFd;
using policy::Phase;

// No peer keeps privilege waiting for longer. One that connects asks at once; one that was started
// together with privd first reads its rules.
constexpr timeval kPatienceConnected{1, 0};
constexpr timeval kPatienceStarted{10, 0};

// Returns the socket that was passed, or an invalid one if none was or it is of another kind.
UniqueFd passed_socket() {
    int type = 0;
    socklen_t length = sizeof type;
    bool passed = os::inherited().listen_fds == 1 &&
                  getsockopt(os::kFirstPassedFd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 &&
                  type == SOCK_SEQPACKET;
    return UniqueFd(passed ? os::kFirstPassedFd : -1);
}

bool listens(const UniqueFd& socket) {
    int answer = 0;
    socklen_t length = sizeof answer;
    getsockopt(socket.get(), SOL_SOCKET, SO_ACCEPTCONN, &answer, &length);
    return answer != 0;
}

void limit_waiting(const UniqueFd& socket, const timeval& patience) {
    for (int which : {SO_RCVTIMEO, SO_SNDTIMEO})
        setsockopt(socket.get(), SOL_SOCKET, which, &patience, sizeof patience);
}

// The filter of a loader that waits: what it may need until the load's own filter closes.
void confine_waiting(const Driver& driver) {
    policy::Allow all[64];
    std::size_t used = 0;
    std::span<const policy::Allow> start = policy::kPrivdStart;
    std::span<const policy::Allow> wait = policy::kPrivdWait;
    for (std::span<const policy::Allow> list : {start, wait, driver.load_calls})
        for (const policy::Allow& allow : list)
            if (allow.only != policy::Only::failing && used < std::size(all))
                all[used++] = allow;
    auto confined = policy::allow_only({all, used}, policy::Refused::report);
    must(confined.has_value(), "install a seccomp filter");
}

// Returns false if the peer goes or asks for nothing in time.
bool wait_for_request(const UniqueFd& socket) {
    char byte = 0;
    iovec part{&byte, sizeof byte};
    msghdr message{nullptr, 0, &part, 1, nullptr, 0, 0};
    return recvmsg(socket.get(), &message, MSG_PEEK) > 0;
}

// Raises the limit if the plan says so. `left` are the capabilities of this process.
void raise_limit(Session& session, std::uint64_t left) {
    rlimit infinite{RLIM_INFINITY, RLIM_INFINITY};
    std::uint64_t missing = session.plan.held(Phase::load) & ~left;
    if (missing != 0)
        session.refusal = {.status = wire::Status::missing_capability, .detail = missing};
    if (session.plan.raise_memlock && setrlimit(RLIMIT_MEMLOCK, &infinite) < 0)
        session.refusal = {.status = wire::Status::memlock, .error = errno};
}

// Gives up all privilege that the load does not need, before a peer says anything. Returns false if
// there is nothing to serve.
bool prepare(Session& session, const Options& options, Account account, const UniqueFd& socket) {
    session.refusal = session.driver.open(options.btf);
    become(account, session.plan.held(Phase::start));
    raise_limit(session, hold_only(session.plan.held(Phase::raise_limit)));
    hold_only(session.plan.held(Phase::load));
    policy::report_refused_calls("privd");
    if (options.when_asked) {
        confine_waiting(session.driver);
        if (!wait_for_request(socket))
            return false;
    }
    if (session.refusal.status == wire::Status::ok)
        session.refusal = session.driver.prepare(session.plan.held(Phase::load));
    inherit_nothing();
    auto confined = policy::allow_only(session.driver.load_calls, policy::Refused::report);
    must(confined.has_value(), "install a seccomp filter");
    return true;
}

os::Result<void> serve(Session& session, UniqueFd socket) {
    session.socket = std::move(socket);
    socklen_t length = sizeof session.peer;
    must(getsockopt(session.socket.get(), SOL_SOCKET, SO_PEERCRED, &session.peer, &length) == 0,
         "identify the peer");
    auto served = session.run();
    session.socket.reset(); // a peer that was refused does not wait for the next one's end
    return served;
}

// The socket is connected to the only peer: that of --exec, or systemd's with Accept=yes.
int serve_one(Session& session, UniqueFd socket) {
    session.serves = kAnyUid; // the peer was given its end by the process that made the pair
    auto served = serve(session, std::move(socket));
    if (served)
        return 0;
    bool told = served.error().number == ECONNRESET; // the analyzer prints why it ends
    if (!told)
        os::print("privd", served.error(), "");
    return 1;
}

time_t seconds_now() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

// With `once`, the manager that made the socket starts another privd for the next peer. Otherwise
// the next peer of this privd has what is left of the 10 s, because privd waits with privilege.
int serve_next(Session& session, const UniqueFd& listener, bool once) {
    time_t end = seconds_now() + kPatienceStarted.tv_sec;
    for (;;) {
        limit_waiting(listener, {std::max<time_t>(end - seconds_now(), 1), 0});
        UniqueFd socket(
            seconds_now() < end ? accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC) : -1);
        if (!socket.valid()) {
            os::print(
                "privd", os::error("wait for a peer", "with privilege", ETIMEDOUT),
                "start the analyzer within 10 s, or use --exec or a service manager's socket");
            return once ? 0 : 1; // the peer that the manager saw has gone
        }
        limit_waiting(socket, kPatienceConnected);
        auto served = serve(session, std::move(socket));
        bool ends = once || session.phase != Phase::load;
        if (!served)
            os::print("privd", served.error(), ends ? "" : "waiting for the next peer");
        if (ends)
            return served ? 0 : 1; // what a second load would need has been dropped
    }
}

// Ends the process. exit(3) is not used, because what a sanitizer does in it the filters refuse.
int leave(int code) {
    return static_cast<int>(syscall(SYS_exit_group, code));
}

// Becomes another program of the family, which takes the passed sockets anew.
[[noreturn]] void become_other(const char* suffix, char** argv) {
    must(os::pass_on(os::inherited().listen_fds), "pass the sockets on");
    become_program(suffix, "", argv);
}

} // namespace

int run(const Driver& driver, int argc, char** argv) {
    os::inherited();
    Options options = parse(argc, argv);
    UniqueFd socket = passed_socket();
    const wire::DriverRow* chosen =
        find_loader(options.driver ? options.driver : wire::option_of(driver.name).data());
    if (options.wrong || !socket.valid() || !chosen)
        become_other("-exec", argv); // which makes a socket, or says what is wrong
    if (driver.name == wire::Driver::modern && chosen->driver != driver.name)
        become_other(chosen->loader, argv);
    Account account = find_account(options.user);
    Account peer = options.peer_user ? find_account(options.peer_user) : account;
    Session session{.driver = driver,
                    .plan = policy::plan(driver.name, policy::gather_facts()),
                    .refusal = {},
                    .stay = options.stay,
                    .serves = peer.uid};
    bool connected = !listens(socket);
    limit_waiting(socket, kPatienceStarted);
    if (!prepare(session, options, account, socket))
        return leave(0);
    int code = connected ? serve_one(session, std::move(socket))
                         : serve_next(session, socket, options.once);
    return leave(code);
}

} // namespace tiercel::privd
