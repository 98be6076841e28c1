// SPDX-License-Identifier: Apache-2.0
#include "shared/wire/client.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cstring>

#include "shared/os/received_rights.h"

namespace tiercel::wire::client {

using os::error;
using os::Result;
using os::UniqueFd;

namespace {

// Receives a message of one type, with as many fds as the caller has room for.
template <typename Message>
Result<std::size_t> receive(const UniqueFd& socket, Message& message,
                            std::span<UniqueFd> fds = {}) {
    auto got = receive_with_fds(socket, &message, sizeof message, fds);
    if (!got)
        return got.error();
    Status status = check_header(message.header, got->bytes, Message{}.header.type, sizeof message);
    if (status == Status::wrong_version)
        return error("accept privd's answer,", "which is of another version", EPROTONOSUPPORT);
    if (status != Status::ok)
        return error("accept privd's answer,", "which is malformed", EBADMSG);
    return got->fds;
}

// Receives one Fds record and appends its descriptors to the list of their kind.
Result<void> take_fds(const UniqueFd& socket, const Reply& reply,
                      std::span<std::vector<UniqueFd>*, kKinds> into) {
    std::array<UniqueFd, kFdsPerMessage> batch;
    Fds fds;
    auto got = receive(socket, fds, batch);
    if (!got)
        return got.error();
    auto kind = static_cast<std::size_t>(fds.kind);
    if (kind >= kKinds || fds.count == 0 || *got != fds.count || fds.first != into[kind]->size() ||
        fds.first + fds.count > reply.fds[kind])
        return error("accept privd's answer,", "whose descriptors differ from its reply", EBADMSG);
    for (std::size_t i = 0; i < fds.count; ++i)
        into[kind]->push_back(std::move(batch[i]));
    return {};
}

} // namespace

Result<Received> receive_with_fds(const UniqueFd& socket, void* record, std::size_t bytes,
                                  std::span<UniqueFd> fds) {
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kFdsPerMessage)] = {};
    iovec part{record, bytes};
    // CMSG_LEN, not CMSG_SPACE: the padding would let one fd more in than there is room for.
    msghdr message{nullptr, 0, &part, 1, control, fds.empty() ? 0 : CMSG_LEN(fds.size_bytes()), 0};
    ssize_t got = recvmsg(socket.get(), &message, MSG_CMSG_CLOEXEC);
    if (got < 0)
        return error("receive privd's answer");
    Received received{static_cast<std::size_t>(got), os::take_fds(message, fds)};
    if (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
        return error("receive privd's answer,", "which is longer than any record", EMSGSIZE);
    if (got == 0)
        return error("receive privd's answer:", "privd closed the connection", ECONNRESET);
    return received;
}

Result<Session> open_session(const UniqueFd& socket, const Request& request) {
    // privd may have refused and closed the socket already. Its answer is still there to be read.
    if (auto sent = send_message(socket, request); !sent && sent.error().number != EPIPE)
        return sent.error();
    Session session;
    if (auto got = receive(socket, session.reply); !got)
        return got.error();
    const Reply& reply = session.reply;
    if (reply.status != Status::ok)
        return session;
    std::array<std::vector<UniqueFd>*, kKinds> into{&session.rings,          &session.counters,
                                                    &session.links,          &session.iter_task,
                                                    &session.iter_task_file, &session.wakeups};
    std::size_t missing = 0;
    for (std::uint32_t count : reply.fds) {
        if (count > kFdsOfKindMax)
            return error("accept privd's answer,", "which announces too many descriptors", EBADMSG);
        missing += count;
    }
    auto held = [&] {
        std::size_t sum = 0;
        for (auto* kind : into)
            sum += kind->size();
        return sum;
    };
    while (held() < missing)
        if (auto taken = take_fds(socket, reply, into); !taken)
            return taken.error();
    Done done;
    if (auto got = receive(socket, done); !got)
        return got.error();
    return session;
}

Result<UniqueFd> ask_door(const UniqueFd& socket, std::int32_t pid, ProcFile file) {
    DoorRequest request;
    request.pid = pid;
    request.file = file;
    if (auto sent = send_message(socket, request); !sent)
        return sent.error();
    DoorReply reply;
    UniqueFd opened;
    auto got = receive(socket, reply, {&opened, 1});
    if (!got)
        return got.error();
    if (reply.error != 0)
        return error("open", "a file of /proc through privd", reply.error);
    if (!opened.valid())
        return error("accept privd's answer,", "which lacks its descriptor", EBADMSG);
    return opened;
}

Result<std::string> ask_link(const UniqueFd& socket, std::int32_t pid, ProcFile link) {
    DoorRequest request;
    request.pid = pid;
    request.file = link;
    if (auto sent = send_message(socket, request); !sent)
        return sent.error();
    LinkReply reply;
    if (auto got = receive(socket, reply); !got)
        return got.error();
    if (reply.error != 0)
        return error("read", "a link of /proc through privd", reply.error);
    if (reply.length > sizeof reply.text)
        return error("accept privd's answer,", "which holds a link that is too long", EBADMSG);
    return std::string(reply.text, reply.length);
}

Result<UniqueFd> connect_to(const char* path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (std::strlen(path) >= sizeof address.sun_path)
        return error("connect to privd at", path, ENAMETOOLONG);
    std::memcpy(address.sun_path, path, std::strlen(path) + 1);
    UniqueFd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    if (!socket.valid() ||
        connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) < 0)
        return error("connect to privd at", path);
    return socket;
}

} // namespace tiercel::wire::client
