// SPDX-License-Identifier: Apache-2.0
//
// Fuzz target: any records as what a peer sends to privd, before a load and at the classic driver's
// door. No record may load anything (privd lacks a capability here), every answer must be a record
// of the protocol, and descriptors come from the door alone.
//
// Input: a byte whose bit 0 chooses the door and whose bit 1 gives each record the protocol's mark
// and version; then records: a length of two bytes, the lower first, and the content.
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "privd/door.h"
#include "privd/session.h"

using namespace tiercel;

namespace {

constexpr std::size_t kMostRecords = 16;

wire::Reply ready(const char* /*btf*/) {
    return {};
}
wire::Reply prepared(std::uint64_t /*mask*/) {
    return {};
}
// A request that is right is refused before this.
wire::Reply load(const wire::Request& /*request*/, pid_t /*self*/, privd::Handover& /*into*/) {
    abort();
}

const privd::Driver kDriver{
    wire::Driver::classic,
    {},
    {},
    {wire::Type::door, sizeof(wire::DoorRequest), policy::Phase::door, privd::answer_door},
    ready,
    prepared,
    load};

// Receives one answer. Returns false if there is none.
bool take_answer(const os::UniqueFd& peer, bool door) {
    union {
        wire::Header header;
        wire::Reply reply;
        std::array<char, 8192> room;
    } record{};
    alignas(cmsghdr) std::array<char, 256> control{};
    iovec part{&record, sizeof record};
    msghdr message{nullptr, 0, &part, 1, control.data(), control.size(), 0};
    const ssize_t got = recvmsg(peer.get(), &message, MSG_DONTWAIT);
    if (got <= 0)
        return false;
    for (cmsghdr* each = CMSG_FIRSTHDR(&message); each != nullptr;
         each = CMSG_NXTHDR(&message, each)) {
        if (!door || each->cmsg_type != SCM_RIGHTS || each->cmsg_len != CMSG_LEN(sizeof(int)))
            abort();
        int fd = -1;
        std::memcpy(&fd, CMSG_DATA(each), sizeof fd);
        close(fd);
    }
    const bool is_record = got >= static_cast<ssize_t>(sizeof record.header) &&
                           record.header.magic == wire::kMagic &&
                           record.header.version == wire::kVersion;
    const bool loads =
        record.header.type == wire::Type::reply && record.reply.status == wire::Status::ok;
    if (!is_record || loads)
        abort();
    return true;
}

// Gives the record the beginning without which privd looks at no more of it.
void mark(std::vector<std::uint8_t>& record) {
    const wire::Header header;
    if (record.size() < sizeof header)
        return;
    std::memcpy(&record[offsetof(wire::Header, magic)], &header.magic, sizeof header.magic);
    std::memcpy(&record[offsetof(wire::Header, version)], &header.version, sizeof header.version);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    int ends[2];
    if (size == 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return 0;
    const bool door = (data[0] & 1) != 0;
    const os::UniqueFd peer(ends[0]);
    privd::Session session{.driver = kDriver, .plan = {}, .refusal = {}};
    session.socket = os::UniqueFd(ends[1]);
    session.refusal.status = wire::Status::missing_capability;
    if (door)
        session.phase = policy::Phase::door;
    std::size_t at = 1;
    for (std::size_t sent = 0; at < size && sent < kMostRecords; ++sent) {
        const std::size_t told = data[at] + (at + 1 < size ? 256U * data[at + 1] : 0U);
        at = std::min(at + 2, size);
        std::vector<std::uint8_t> record(data + at, data + at + std::min(told, size - at));
        at += record.size();
        if ((data[0] & 2) != 0)
            mark(record);
        (void)send(peer.get(), record.data(), record.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    shutdown(peer.get(), SHUT_WR);
    (void)session.run().has_value();
    while (take_answer(peer, door)) {
    }
    return 0;
}
