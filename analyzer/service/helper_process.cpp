// SPDX-License-Identifier: Apache-2.0
//
// Starts a helper process, and passes messages in records: the first byte of a record says whether
// it is the last one of its message.
#include "analyzer/service/helper_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "policy/privilege/child.h"

namespace tiercel::app {

namespace {

constexpr std::size_t kRecord = 16 << 10;
constexpr std::size_t kMostMessage = 64 << 20;
constexpr char kMore = 0, kLast = 1;
constexpr int kLookEveryMs = 500;

bool send_message(int socket, std::string_view text) {
    std::string record;
    do {
        const std::string_view part = text.substr(0, kRecord - 1);
        text.remove_prefix(part.size());
        record.assign(1, text.empty() ? kLast : kMore).append(part);
        ssize_t sent = 0;
        do {
            sent = write(socket, record.data(), record.size());
        } while (sent < 0 && errno == EINTR);
        if (sent < 0)
            return false;
    } while (!text.empty());
    return true;
}

[[noreturn]] void work_on(int socket, const HelperProcess::Work& work) {
    close(STDIN_FILENO);
    close(STDOUT_FILENO);
    if (work.prepare)
        work.prepare();
    policy::become_child(work.name, socket, STDERR_FILENO + 1, work.calls, work.refused);
    for (;;) {
        pollfd waiting{.fd = socket, .events = POLLIN, .revents = 0};
        const int ready = poll(&waiting, 1, kLookEveryMs);
        if (ready > 0) {
            std::array<char, kRecord> request{};
            const ssize_t got = read(socket, request.data(), request.size());
            if (got <= 1)
                _exit(0);
            if (!send_message(socket,
                              work.answer({request.data() + 1, static_cast<std::size_t>(got) - 1})))
                _exit(0);
        } else if (const std::string news = work.look(); !news.empty()) {
            if (!send_message(socket, news))
                _exit(0);
        }
    }
}

} // namespace

os::Result<HelperProcess> HelperProcess::start(const Work& work) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return os::error("make a channel to the helper process", work.name);
    os::UniqueFd ours(ends[0]), theirs(ends[1]);
    const pid_t child = fork();
    if (child < 0)
        return os::error("start the helper process", work.name);
    if (child == 0) {
        const int socket = theirs.release();
        work_on(socket, work);
    }
    fcntl(ours.get(), F_SETFL, fcntl(ours.get(), F_GETFL) | O_NONBLOCK);
    return HelperProcess(std::move(ours));
}

bool HelperProcess::ask(std::string_view request) const {
    return request.size() < kRecord && send_message(socket_.get(), request);
}

bool HelperProcess::read(const std::function<void(std::string message)>& take) {
    std::array<char, kRecord> record{};
    for (;;) {
        const ssize_t got = ::read(socket_.get(), record.data(), record.size());
        if (got < 0)
            return errno == EAGAIN || errno == EINTR;
        if (got == 0 || partial_.size() > kMostMessage)
            return false;
        partial_.append(record.data() + 1, static_cast<std::size_t>(got) - 1);
        if (record[0] == kLast)
            take(std::exchange(partial_, {}));
    }
}

} // namespace tiercel::app
