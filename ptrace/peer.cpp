// SPDX-License-Identifier: Apache-2.0
#include "ptrace/peer.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace tiercel::ptrace {

using os::Result;
using os::UniqueFd;

namespace {

const passwd* find_account(const char* name) {
    if (name)
        return getpwnam(name);
    const passwd* own = getpwnam("tiercel");
    return own ? own : getpwnam("nobody");
}

// Runs in the child. The analyzer refuses to run with privilege, so the child drops it first.
bool give_root_up(const char* account) {
    if (geteuid() != 0)
        return true;
    const passwd* to = find_account(account);
    return to && setgroups(0, nullptr) == 0 && setgid(to->pw_gid) == 0 && setuid(to->pw_uid) == 0;
}

[[noreturn]] void become_peer(const UniqueFd& socket, const char* command, const char* account) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    setsid();
    char number[16];
    snprintf(number, sizeof number, "%d", socket.get());
    if (!give_root_up(account)) {
        os::print("tiercel-trace", os::error("become", account ? account : "nobody"),
                  "name another account with --user");
        _exit(1);
    }
    if (setenv("TIERCEL_PRIVD_FD", number, 1) == 0 && fcntl(socket.get(), F_SETFD, 0) == 0 &&
        dup2(STDERR_FILENO, STDOUT_FILENO) >= 0)
        execl("/bin/sh", "sh", "-c", command, static_cast<char*>(nullptr));
    os::print("tiercel-trace", os::error("run", command), "");
    _exit(127);
}

bool is_welcome(const UniqueFd& socket, const char* account) {
    ucred peer{};
    socklen_t length = sizeof peer;
    if (getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0)
        return false;
    const passwd* other = account ? getpwnam(account) : nullptr;
    return peer.uid == geteuid() || (other && peer.uid == other->pw_uid);
}

} // namespace

Result<Peer> start_peer(const char* command, const char* account) {
    int ends[2] = {-1, -1};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return os::error("make", "a socket pair");
    UniqueFd ours(ends[0]), theirs(ends[1]);
    const pid_t child = fork();
    if (child < 0)
        return os::error("start", command);
    if (child == 0) {
        ours.reset();
        become_peer(theirs, command, account);
    }
    return Peer{std::move(ours), child};
}

Result<Peer> await_peer(const char* path, const char* account) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (std::strlen(path) >= sizeof address.sun_path)
        return os::error("listen at", path, ENAMETOOLONG);
    std::memcpy(address.sun_path, path, std::strlen(path) + 1);
    const UniqueFd listener(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    const mode_t mask = umask(account ? 0111 : 0177);
    const bool bound =
        bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    umask(mask);
    if (!bound || listen(listener.get(), 1) != 0)
        return os::error("listen at", path);
    for (;;) {
        UniqueFd socket(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (!socket.valid() && errno != EINTR && errno != ECONNABORTED)
            return os::error("accept at", path);
        if (!socket.valid() || !is_welcome(socket, account))
            continue;
        unlink(path); // there is only one session
        return Peer{std::move(socket), 0};
    }
}

int wait_for(Peer& peer, unsigned milliseconds) {
    constexpr unsigned kStep = 2;
    int status = -1;
    for (unsigned waited = 0; peer.child != 0 && waited <= milliseconds; waited += kStep) {
        if (waitpid(peer.child, &status, WNOHANG) != 0) {
            peer.child = 0;
            return status;
        }
        usleep(kStep * 1000);
    }
    return -1;
}

} // namespace tiercel::ptrace
