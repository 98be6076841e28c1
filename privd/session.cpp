// SPDX-License-Identifier: Apache-2.0
#include "privd/privd.h"

#include "kernel/common/abi.h"
#include "policy/privd_syscalls.h"

#include <algorithm>
#include <cstdio>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace tiercel::privd {

using os::Result;
using policy::Phase;
using wire::Reply;
using wire::Status;

namespace {

union Record {
    wire::Header header;
    wire::Request request;
    wire::DoorRequest door;
};

Result<void> answer_open(Session& session, const Record& record);
Result<void> answer_door(Session& session, const Record& record);

// All that a peer can ask for. Anything else, or out of its phase, ends the session. answer_open()
// leaves its phase or fails, so that nobody opens twice.
constexpr struct Rule {
    wire::Type type;
    std::size_t bytes;
    Phase phase;
    Result<void> (*answer)(Session&, const Record&);
} rules[] = {
    {wire::Type::open, sizeof(wire::Request), Phase::load, answer_open},
    {wire::Type::door, sizeof(wire::DoorRequest), Phase::door, answer_door},
};

// Tells the peer why, and ends the session; `reason` is for the journal.
Result<void> refuse(Session& session, const Reply& reply, const char* reason = "") {
    // Whether the peer is still there to be told makes no difference.
    (void)wire::send_message(session.socket, reply).has_value();
    return os::error("grant what the peer asks", reason, reply.error);
}

static_assert(wire::tracepoints_all == TIERCEL_TP_ALL);

// The first reason to refuse the request, or a Reply whose status is ok.
Reply check_request(const Session& session, const wire::Request& r) {
    if (session.serves != any_uid && session.peer.uid != session.serves)
        return {.status = Status::wrong_peer, .detail = session.serves};
    if (Status status = wire::check_values(r); status != Status::ok)
        return {.status = status};
    if (r.driver > wire::Driver::modern)
        return {.status = Status::not_built_in, .detail = static_cast<std::uint64_t>(r.driver)};
    return session.refusal;
}

Result<void> answer_open(Session& session, const Record& record) {
    static Handover handover; // 20 KiB
    Reply reply = check_request(session, record.request);
    if (reply.status == Status::ok)
        reply = start_modern(record.request, session.peer.pid, handover);
    if (reply.status != Status::ok) {
        handover = {};
        return refuse(session, reply, libbpf_complaint);
    }
    // From here on no capability but the door's, and few system calls.
    session.phase = Phase::handover;
    hold_only(session.plan.held(session.phase));
    must(policy::allow_only(policy::privd_steady).has_value(), "install a seccomp filter");
    std::copy_n(handover.count, wire::kinds, reply.fds);
    reply.door = session.door;
    auto sent = wire::send_message(session.socket, reply);
    for (std::size_t kind = 0; sent && kind < wire::kinds; ++kind)
        sent = wire::send_fds(session.socket, static_cast<wire::Kind>(kind),
                              {handover.fds[kind], handover.count[kind]});
    handover = {}; // the peer's fds are now the only ones that keep the probe attached
    session.phase = session.door ? Phase::door : Phase::handover;
    return sent ? wire::send_message(session.socket, wire::Done{}) : sent;
}

Result<void> answer_door(Session& session, const Record& record) {
    wire::DoorReply reply;
    os::UniqueFd file = open_door(record.door, reply.error);
    int fd = file.get();
    return wire::send_message(session.socket, reply,
                              std::span<const int>(&fd, file.valid() ? 1 : 0));
}

Result<void> answer(Session& session, const Record& record, std::size_t bytes) {
    for (const Rule& rule : rules) {
        Status status = wire::check_header(record.header, bytes, rule.type, rule.bytes);
        if (status == Status::wrong_version)
            return refuse(session, {.status = status, .detail = wire::version});
        if (status == Status::ok && session.phase == rule.phase)
            return rule.answer(session, record);
    }
    return refuse(session, {.status = Status::malformed});
}

// In the order of wire::ProcFile. A link is opened with O_PATH: through it, nothing can be read.
constexpr struct {
    const char* path;
    bool link;
} menu[] = {
    {"exe", true},    {"cwd", true},     {"root", true},     {"ns/pid", true},
    {"ns/mnt", true}, {"ns/net", true},  {"ns/user", true},  {"ns/cgroup", true},
    {"maps", false},  {"fdinfo", false}, {"cmdline", false}, {"status", false},
    {"stat", false},  {"cgroup", false}, {"environ", false}, {"loginuid", false},
};
static_assert(std::size(menu) == static_cast<std::size_t>(wire::ProcFile::count));

} // namespace

os::UniqueFd open_door(const wire::DoorRequest& request, std::int32_t& failure) {
    failure = EINVAL;
    if (request.file >= wire::ProcFile::count || request.pid <= 0)
        return {};
    const auto& dish = menu[static_cast<std::size_t>(request.file)];
    char path[64];
    int used = snprintf(path, sizeof path, "/proc/%d/%s", request.pid, dish.path);
    if (request.file == wire::ProcFile::fdinfo)
        snprintf(path + used, sizeof path - static_cast<std::size_t>(used), "/%u", request.fd);
    // No link is followed but the last component of the menu's own magic links.
    open_how how{};
    how.flags = O_CLOEXEC | (dish.link ? unsigned{O_PATH} : unsigned{O_RDONLY});
    how.resolve = dish.link ? 0 : RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
    os::UniqueFd file(static_cast<int>(syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how)));
    failure = file.valid() ? 0 : errno;
    return file;
}

Result<void> Session::run() {
    do {
        Record record{};
        auto got = wire::receive_record(socket, &record, sizeof record);
        int failure = got ? 0 : got.error().number;
        if (phase != Phase::load && failure == EAGAIN)
            continue; // the time limit is for peers that never ask
        if (phase != Phase::load && failure == ECONNRESET)
            return {};
        if (failure == EMSGSIZE)
            return refuse(*this, {.status = Status::malformed});
        if (failure)
            return got.error();
        if (auto answered = answer(*this, record, *got); !answered)
            return answered;
    } while (door || stay);
    return {};
}

} // namespace tiercel::privd
