// SPDX-License-Identifier: Apache-2.0
#include "ptrace/unix_peer.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "shared/os/unique_fd.h"

namespace tiercel::ptrace {

namespace {

constexpr int kListening = 10; // TCP_LISTEN, which Unix sockets also use

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
    question.request.udiag_show = UDIAG_SHOW_PEER | UDIAG_SHOW_RQLEN;
    std::memset(question.request.udiag_cookie, 0xff, sizeof question.request.udiag_cookie);
    return send(netlink.get(), &question, sizeof question, 0) == sizeof question;
}

} // namespace

UnixPeer unix_peer(unsigned long long inode) {
    static const os::UniqueFd kNetlink(
        socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
    alignas(nlmsghdr) char answer[1024];
    if (!kNetlink.valid() || !ask(kNetlink, inode))
        return {};
    const ssize_t got = recv(kNetlink.get(), answer, sizeof answer, 0);
    const auto* header = reinterpret_cast<const nlmsghdr*>(answer);
    const bool whole = got >= 0 && NLMSG_OK(header, static_cast<std::size_t>(got));
    if (!whole || header->nlmsg_type != SOCK_DIAG_BY_FAMILY)
        return {};
    const auto* message = reinterpret_cast<const unix_diag_msg*>(answer + NLMSG_HDRLEN);
    UnixPeer found;
    for (std::size_t at = NLMSG_LENGTH(sizeof *message); at + sizeof(rtattr) < header->nlmsg_len;) {
        rtattr attribute{};
        std::memcpy(&attribute, answer + at, sizeof attribute);
        const char* value = answer + at + sizeof attribute;
        unix_diag_rqlen queue{};
        std::uint32_t peer = 0;
        if (attribute.rta_type == UNIX_DIAG_PEER) {
            std::memcpy(&peer, value, sizeof peer);
            found.inode = peer;
        } else if (attribute.rta_type == UNIX_DIAG_RQLEN && message->udiag_state == kListening) {
            std::memcpy(&queue, value, sizeof queue);
            found.queue_limit = queue.udiag_wqueue;
        }
        at += std::max<std::size_t>(RTA_ALIGN(attribute.rta_len), sizeof attribute);
    }
    return found;
}

} // namespace tiercel::ptrace
