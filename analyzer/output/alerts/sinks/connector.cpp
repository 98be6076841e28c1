// SPDX-License-Identifier: Apache-2.0
#include "analyzer/output/alerts/sinks/connector.h"

#include <sys/socket.h>
#include <sys/time.h>

#include <cstring>

#include "analyzer/output/alerts/sinks/connect.h"
#include "policy/privilege/child.h"
#include "policy/privilege/helper_syscalls.h"

namespace tiercel::alerts {

namespace {

constexpr timeval kCallTime{1, 0}, kAnswerTime{2, 0};

// One message: errno, and the connection if that is 0.
bool send_answer(int socket, int error, int connection) {
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    iovec part{&error, sizeof error};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (error == 0) {
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        cmsghdr* rights = CMSG_FIRSTHDR(&message);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(sizeof connection);
        std::memcpy(CMSG_DATA(rights), &connection, sizeof connection);
    }
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
    const cmsghdr* rights = CMSG_FIRSTHDR(&message);
    if (rights == nullptr || rights->cmsg_type != SCM_RIGHTS)
        return os::error("connect to", path_, EPROTO);
    int connection = -1;
    std::memcpy(&connection, CMSG_DATA(rights), sizeof connection);
    return os::UniqueFd(connection);
}

} // namespace tiercel::alerts
