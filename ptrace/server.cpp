// SPDX-License-Identifier: Apache-2.0
#include "ptrace/server.h"

#include <array>
#include <ctime>

#include "kernel/common/abi.h"
#include "shared/wire/channel.h"

namespace tiercel::ptrace {

using wire::Driver;
using wire::Kind;
using wire::Reply;
using wire::Request;
using wire::Status;

namespace {

// What is on offer: context switches and page faults do not stop a traced thread.
constexpr std::uint32_t kTracepointsHere = TIERCEL_TP_SIGNAL | TIERCEL_TP_PATHS;

Reply check(const Request& request, std::size_t bytes) {
    Status status = wire::check_header(request.header, bytes, wire::Type::open, sizeof request);
    if (status == Status::wrong_version)
        return {.status = status, .detail = wire::kVersion};
    if (status == Status::ok)
        status = wire::check_values(request);
    if (status != Status::ok)
        return {.status = status};
    if (request.driver != Driver::automatic && request.driver != Driver::userspace)
        return {.status = Status::not_built_in,
                .detail = static_cast<std::uint64_t>(request.driver)};
    if (const std::uint32_t missing = request.tracepoints & ~kTracepointsHere; missing != 0)
        return {.status = Status::bad_tracepoints, .detail = missing};
    return {};
}

os::Result<void> send_one(const os::UniqueFd& socket, Kind kind, const os::UniqueFd& fd) {
    return wire::send_message(socket, wire::Fds{.kind = kind, .count = 1}, std::array{fd.get()});
}

} // namespace

os::Result<Request> receive_request(const os::UniqueFd& socket) {
    Request request;
    auto got = wire::receive_record(socket, &request, sizeof request);
    if (!got && got.error().number != EMSGSIZE)
        return got.error();
    const Reply reply = check(request, got ? *got : 0);
    if (reply.status == Status::ok)
        return request;
    // A failure to send is ignored, because the refusal ends the session either way.
    (void)wire::send_message(socket, reply).has_value();
    return os::error("grant what the peer asks", "", 0);
}

void refuse(const os::UniqueFd& socket, int number) {
    const Reply reply{.status = Status::load_failed, .error = number, .detail = wire::step_attach};
    (void)wire::send_message(socket, reply).has_value();
}

os::Result<void> hand_over(const os::UniqueFd& socket, const Request& request, const Output& output,
                           const Snapshot& snapshot, std::uint64_t began_ns) {
    const struct {
        Kind kind;
        const os::UniqueFd& fd;
    } gifts[] = {{Kind::ring, output.ring()},
                 {Kind::counters, output.counters()},
                 {Kind::iter_task, snapshot.tasks},
                 {Kind::iter_task_file, snapshot.files},
                 {Kind::wakeup, output.reader_pipe()}};
    Reply reply{.driver = Driver::userspace,
                .ring_count = 1,
                .ring_bytes = request.ring_bytes,
                .cpus = 1,
                .load_begin_ns = began_ns,
                .load_ns = monotonic_ns() - began_ns};
    for (const auto& gift : gifts)
        reply.fds[static_cast<std::size_t>(gift.kind)] = 1;
    auto sent = wire::send_message(socket, reply);
    for (const auto& gift : gifts)
        if (sent)
            sent = send_one(socket, gift.kind, gift.fd);
    return sent ? wire::send_message(socket, wire::Done{}) : sent;
}

std::uint64_t monotonic_ns() {
    timespec time{};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 +
           static_cast<std::uint64_t>(time.tv_nsec);
}

} // namespace tiercel::ptrace
