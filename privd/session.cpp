// SPDX-License-Identifier: Apache-2.0
#include "privd/privd.h"

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
#ifndef __x86_64__ // arch/x86/include/asm/trace/exceptions.h has no like elsewhere
    if (r.tracepoints & TIERCEL_TP_PAGE_FAULT)
        return {.status = Status::bad_tracepoints, .detail = TIERCEL_TP_PAGE_FAULT};
#endif
    if (r.driver != wire::Driver::automatic && r.driver != driver.name)
        return {.status = Status::not_built_in, .detail = static_cast<std::uint64_t>(r.driver)};
    return session.refusal;
}

Result<void> answer_open(Session& session, const Record& record) {
    static Handover handover; // 20 KiB
    Reply reply = check_request(session, record.request);
    if (reply.status == Status::ok)
        reply = driver.start(record.request, session.peer.pid, handover);
    reply.driver = driver.name;
    if (reply.status != Status::ok) {
        handover = {};
        return refuse(session, reply, complaint);
    }
    // From here on no capability but the door's, and few system calls.
    session.phase = Phase::handover;
    hold_only(session.plan.held(session.phase));
    must(policy::allow_only(driver.steady_calls).has_value(), "install a seccomp filter");
    std::copy_n(handover.count, wire::kinds, reply.fds);
    reply.door = driver.after.answer != nullptr;
    auto sent = wire::send_message(session.socket, reply);
    for (std::size_t kind = 0; sent && kind < wire::kinds; ++kind)
        sent = wire::send_fds(session.socket, static_cast<wire::Kind>(kind),
                              {handover.fds[kind], handover.count[kind]});
    handover = {}; // the peer's fds are now the only ones that keep the probe attached
    if (reply.door)
        session.phase = driver.after.phase;
    return sent ? wire::send_message(session.socket, wire::Done{}) : sent;
}

// All that a peer can ask for besides what the driver adds. Anything else, or out of its phase,
// ends the session. answer_open() leaves its phase or fails, so that nobody opens twice.
constexpr Rule open_rule{wire::Type::open, sizeof(wire::Request), Phase::load, answer_open};

Result<void> answer(Session& session, const Record& record, std::size_t bytes) {
    for (const Rule* rule : {&open_rule, &driver.after}) {
        Status status = wire::check_header(record.header, bytes, rule->type, rule->bytes);
        if (status == Status::wrong_version)
            return refuse(session, {.status = status, .detail = wire::version});
        if (status == Status::ok && session.phase == rule->phase && rule->answer)
            return rule->answer(session, record);
    }
    return refuse(session, {.status = Status::malformed});
}

} // namespace

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
    } while (stay || driver.after.answer);
    return {};
}

} // namespace tiercel::privd
