// SPDX-License-Identifier: Apache-2.0
//
// Implements a session: receives records, dispatches them by a table of handlers and phases, checks
// the request, has the driver load, drops what the load needed, and hands the descriptors over.
#include "privd/session.h"

#include <algorithm>
#include <cerrno>

namespace tiercel::privd {

using os::Result;
using policy::Phase;
using wire::Reply;
using wire::Status;

namespace {

// Tells the peer why, and ends the session; `reason` is for the journal.
Result<void> refuse(Session& session, const Reply& reply, const char* reason = "") {
    // The session ends in any case, so a peer that has gone makes no difference.
    (void)wire::send_message(session.socket, reply).has_value();
    return os::error("grant what the peer asks", reason, reply.error);
}

static_assert(wire::kTracepointsAll == TIERCEL_TP_ALL);

// Returns the first reason to refuse the request, or a Reply whose status is ok.
Reply check_request(const Session& session, const wire::Request& request) {
    if (session.serves != kAnyUid && session.peer.uid != session.serves)
        return {.status = Status::wrong_peer, .detail = session.serves};
    if (Status status = wire::check_values(request); status != Status::ok)
        return {.status = status};
#ifndef __x86_64__ // arch/x86/include/asm/trace/exceptions.h has no equivalent elsewhere
    if (request.tracepoints & TIERCEL_TP_PAGE_FAULT)
        return {.status = Status::bad_tracepoints, .detail = TIERCEL_TP_PAGE_FAULT};
#endif
    bool chosen = request.driver != wire::Driver::automatic;
    if (chosen && request.driver != session.driver.name) {
        auto asked = static_cast<std::uint64_t>(request.driver);
        return {.status = Status::not_built_in, .detail = asked};
    }
    return session.refusal;
}

// From the hand-over on: no capability but the door's, and few system calls.
void drop_what_the_load_needed(Session& session) {
    session.phase = Phase::handover;
    hold_only(session.plan.held(session.phase));
    auto confined = policy::allow_only(session.driver.steady_calls, policy::Refused::report);
    must(confined.has_value(), "install a seccomp filter");
}

Result<void> hand_over(Session& session, const Reply& reply, const Handover& handover) {
    if (auto sent = wire::send_message(session.socket, reply); !sent)
        return sent;
    for (std::size_t kind = 0; kind < wire::kKinds; ++kind) {
        std::span<const os::UniqueFd> fds(handover.fds[kind], handover.count[kind]);
        auto sent = wire::send_fds(session.socket, static_cast<wire::Kind>(kind), fds);
        if (!sent)
            return sent;
    }
    return wire::send_message(session.socket, wire::Done{});
}

Result<void> answer_open(Session& session, const Record& record) {
    static Handover handover; // 20 KiB
    Reply reply = check_request(session, record.request);
    if (reply.status == Status::ok)
        reply = session.driver.start(record.request, session.peer.pid, handover);
    reply.driver = session.driver.name;
    if (reply.status != Status::ok) {
        auto refused = refuse(session, reply, handover.complaint);
        handover = {};
        return refused;
    }
    drop_what_the_load_needed(session);
    std::copy_n(handover.count, wire::kKinds, reply.fds);
    std::ranges::copy(held_so_far, reply.held);
    reply.door = session.driver.after.answer != nullptr;
    auto sent = hand_over(session, reply, handover);
    handover = {}; // the peer's fds are now the only ones that keep the probe attached
    if (reply.door)
        session.phase = session.driver.after.phase;
    return sent;
}

// All that a peer can ask for besides what the driver adds. Any other record, or one out of its
// phase, ends the session. answer_open() leaves its phase or fails, so that no peer opens twice.
constexpr Handler kOpenHandler{wire::Type::open, sizeof(wire::Request), Phase::load, answer_open};

Result<void> answer(Session& session, const Record& record, std::size_t bytes) {
    for (const Handler* handler : {&kOpenHandler, &session.driver.after}) {
        Status status = wire::check_header(record.header, bytes, handler->type, handler->bytes);
        if (status == Status::wrong_version)
            return refuse(session, {.status = status, .detail = wire::kVersion});
        if (status == Status::ok && session.phase == handler->phase && handler->answer)
            return handler->answer(session, record);
    }
    return refuse(session, {.status = Status::malformed});
}

// A record of no bytes and a closed connection look alike (recvmsg returns 0): the answer tells
// them apart, because it can be sent to a peer that is there.
Result<void> answer_nothing(Session& session, const os::Error& closed) {
    auto told = wire::send_message(session.socket, Reply{.status = Status::malformed});
    if (told)
        return os::error("serve the peer", "it sent an empty record", EBADMSG);
    return closed;
}

Result<void> receive_and_answer(Session& session) {
    Record record{};
    auto got = wire::receive_record(session.socket, &record, sizeof record);
    if (got)
        return answer(session, record, *got);
    if (got.error().number == EMSGSIZE)
        return refuse(session, {.status = Status::malformed});
    if (got.error().number == ECONNRESET)
        return answer_nothing(session, got.error());
    if (got.error().number == EAGAIN && session.phase == Phase::load)
        return os::error("serve the peer", "it asked for nothing in time", ETIMEDOUT);
    return got.error();
}

} // namespace

Result<void> Session::run() {
    bool goes_on = true;
    while (goes_on) {
        auto served = receive_and_answer(*this);
        bool past_load = phase != Phase::load;
        int failure = served ? 0 : served.error().number;
        if (past_load && failure == ECONNRESET)
            return {};                              // the peer has what it wanted
        bool late = past_load && failure == EAGAIN; // the time limit is for the request alone
        if (!served && !late)
            return served;
        goes_on = stay || driver.after.answer != nullptr;
    }
    return {};
}

} // namespace tiercel::privd
