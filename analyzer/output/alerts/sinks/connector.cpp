// SPDX-License-Identifier: Apache-2.0
#include "analyzer/output/alerts/sinks/connector.h"

#include <sys/socket.h>
#include <sys/time.h>

#include "analyzer/output/alerts/sinks/connect.h"
#include "policy/privilege/child.h"
#include "policy/privilege/helper_syscalls.h"
#include "shared/os/received_rights.h"
#include "shared/os/rights.h"

namespace tiercel::alerts {

namespace {

constexpr timeval kCallTime{1, 0}, kAnswerTime{2, 0};

// One message: errno, and the connection if that is 0.
bool send_answer(int socket, int error, int connection) {
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof connection)] = {};
    iovec part{&error, sizeof error};
    msghdr message{nullptr, 0, &part, 1, control, error == 0 ? CMSG_LEN(sizeof connection) : 0, 0};
    if (error == 0)
        os::attach_fds(message, {&connection, 1});
    return sendmsg(socket, &message, MSG_NOSIGNAL) == sizeof error;
}

// The child: each byte that it reads asks for a connection.
[[noreturn]] void serve(int socket, const std::string& path, int type) {
    policy::become_child("connector", socket, 0, policy::kConnectorSteady);
    for (char request = 0; read(socket, &request, 1) == 1;) {
        auto made = connect_unix("connect to", path, type);
        if (made) {
            setsockopt(made->get(), SOL_SOCKET, SO_RCVTIMEO, &kCallTime, sizeof kCallTime);
            setsockopt(made->get(), SOL_SOCKET, SO_SNDTIMEO, &kCallTime, sizeof kCallTime);
        }
        if (!send_answer(socket, made ? 0 : made.error().number, made ? made->get() : -1))
            break;
    }
    _exit(0);
}

} // namespace

os::Result<Connector> Connector::start(const std::string& path, int type) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return os::error("make a channel to the connector of", path);
    os::UniqueFd ours(ends[0]), theirs(ends[1]);
    const pid_t child = fork();
    if (child < 0)
        return os::error("start the connector of", path);
    if (child == 0)
        serve(theirs.release(), path, type);
    setsockopt(ours.get(), SOL_SOCKET, SO_RCVTIMEO, &kAnswerTime, sizeof kAnswerTime);
    return Connector(std::move(ours), path);
}

os::Result<os::UniqueFd> Connector::connect(int flags) {
    const char request = 1;
    if (!asked_ && send(child_.get(), &request, 1, MSG_NOSIGNAL) != 1)
        return os::error("ask the connector of", path_);
    asked_ = true;
    int error = 0;
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    iovec part{&error, sizeof error};
    msghdr message{nullptr, 0, &part, 1, control, sizeof control, 0};
    const ssize_t got = recvmsg(child_.get(), &message, MSG_CMSG_CLOEXEC | flags);
    if (got < 0)
        return os::error("connect to", path_, errno == EAGAIN ? ETIMEDOUT : errno);
    asked_ = false;
    if (got != sizeof error || error != 0)
        return os::error("connect to", path_, got == sizeof error ? error : ECONNRESET);
    os::UniqueFd connection;
    if (os::take_fds(message, {&connection, 1}) != 1)
        return os::error("connect to", path_, EPROTO);
    return connection;
}

} // namespace tiercel::alerts
