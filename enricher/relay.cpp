// SPDX-License-Identifier: Apache-2.0
//
// Implements the enricher's session: it asks one runtime for each question and sends the answer to
// the analyzer in parts, unread.
#include "enricher/relay.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <cstring>
#include <ctime>

#include "enricher/question.h"
#include "shared/wire/channel.h"

namespace tiercel::enricher {

using os::UniqueFd;
using wire::enrich::Part;
using wire::enrich::Question;

namespace {

struct Record {
    Part part;
    char bytes[wire::enrich::kPartBytes];
};
static_assert(offsetof(Record, bytes) == sizeof(Part));

std::int64_t now_ms() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1'000'000;
}

// Sends the last part of an answer. `failure` is an errno, or 0 if the answer is whole.
os::Result<void> say_last(const UniqueFd& peer, std::uint32_t number, int failure) {
    const Part part{.number = number, .last = 1, .error = failure};
    return wire::send_record(peer, &part, sizeof part);
}

os::Result<UniqueFd> connect_to(const char* path) {
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    if (path == nullptr || std::strlen(path) >= sizeof address.sun_path)
        return os::error("reach", "a runtime that is not asked", ENOENT);
    std::memcpy(address.sun_path, path, std::strlen(path));
    UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const timeval patience{.tv_sec = kPatienceMs / 1000, .tv_usec = 0}; // also limits connect(2)
    if (!socket.valid() ||
        setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) != 0 ||
        connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        return os::error("reach", path);
    return socket;
}

os::Result<UniqueFd> ask(const Question& question, const char* path) {
    auto socket = connect_to(path);
    if (!socket)
        return socket;
    const Request request(question);
    const auto bytes = request.bytes();
    const ssize_t sent = send(socket->get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent != static_cast<ssize_t>(bytes.size()))
        return os::error("ask", path, sent < 0 ? errno : EIO);
    return socket;
}

// Passes the answer on until the runtime closes, its time is over, or the peer sends a record.
os::Result<void> carry(const UniqueFd& peer, const UniqueFd& runtime, std::uint32_t number) {
    Record record{.part = {.number = number}, .bytes = {}};
    for (const std::int64_t end = now_ms() + kPatienceMs;;) {
        pollfd waited[] = {{runtime.get(), POLLIN, 0}, {peer.get(), POLLIN, 0}};
        const auto left = static_cast<int>(end - now_ms());
        const int ready = left > 0 ? poll(waited, 2, left) : 0;
        if (ready < 0 && errno != EINTR)
            return os::error("wait for", "a runtime's answer");
        if (ready == 0)
            return say_last(peer, number, ETIMEDOUT);
        if (waited[1].revents != 0)
            return {};
        const ssize_t got = read(runtime.get(), record.bytes, sizeof record.bytes);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return say_last(peer, number, got < 0 ? errno : 0);
        if (auto sent = wire::send_record(peer, &record,
                                          sizeof record.part + static_cast<std::size_t>(got));
            !sent)
            return sent;
    }
}

os::Result<void> answer(const UniqueFd& peer, const Question& question, const Paths& paths) {
    auto runtime = ask(question, paths[static_cast<std::size_t>(question.runtime)]);
    if (!runtime)
        return say_last(peer, question.number, runtime.error().number);
    return carry(peer, *runtime, question.number);
}

} // namespace

os::Result<void> serve(const UniqueFd& peer, const Paths& paths) {
    for (;;) {
        Question question;
        auto got = wire::receive_record(peer, &question, sizeof question);
        if (!got)
            return got.error().number == ECONNRESET ? os::Result<void>() : got.error();
        if (!is_question(question, *got))
            return os::error("serve", "a peer: what it says is no question", EBADMSG);
        if (auto answered = answer(peer, question, paths); !answered)
            return answered.error().number == EPIPE ? os::Result<void>() : answered;
    }
}

} // namespace tiercel::enricher
