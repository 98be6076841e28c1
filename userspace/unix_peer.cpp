// SPDX-License-Identifier: Apache-2.0
#include "userspace/unix_peer.h"

#include "shared/os/unique_fd.h"

#include <cstdint>
#include <cstring>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <sys/socket.h>

namespace tiercel::userspace {

namespace {

struct Question {
    nlmsghdr header;
    unix_diag_req request;
};

bool ask(const os::UniqueFd& netlink, unsigned long long inode) {
    Question question{};
    question.header.nlmsg_len = sizeof question;
    question.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    question.header.nlmsg_flags = NLM_F_REQUEST;
    question.request.sdiag_family = AF_UNIX;
    question.request.udiag_states = ~0u;
    question.request.udiag_ino = static_cast<std::uint32_t>(inode);
    question.request.udiag_show = UDIAG_SHOW_PEER;
    std::memset(question.request.udiag_cookie, 0xff, sizeof question.request.udiag_cookie);
    return send(netlink.get(), &question, sizeof question, 0) == sizeof question;
}

} // namespace

unsigned long long unix_peer(unsigned long long inode) {
    static const os::UniqueFd netlink(
        socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
    alignas(nlmsghdr) char answer[1024];
    if (!netlink.valid() || !ask(netlink, inode))
        return 0;
    const ssize_t got = recv(netlink.get(), answer, sizeof answer, 0);
    const auto* header = reinterpret_cast<const nlmsghdr*>(answer);
    if (got < 0 || !NLMSG_OK(header, static_cast<std::size_t>(got)) ||
        header->nlmsg_type != SOCK_DIAG_BY_FAMILY)
        return 0;
    const auto* message = reinterpret_cast<const unix_diag_msg*>(answer + NLMSG_HDRLEN);
    // UNIX_DIAG_PEER is all that was asked for: what follows the message is that or nothing.
    rtattr attribute{};
    std::uint32_t peer = 0;
    const char* rest = reinterpret_cast<const char*>(message + 1);
    if (header->nlmsg_len < NLMSG_LENGTH(sizeof *message) + sizeof attribute + sizeof peer)
        return 0;
    std::memcpy(&attribute, rest, sizeof attribute);
    std::memcpy(&peer, rest + sizeof attribute, sizeof peer);
    return attribute.rta_type == UNIX_DIAG_PEER ? peer : 0;
}

} // namespace tiercel::userspace
