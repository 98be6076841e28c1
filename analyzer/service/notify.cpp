// SPDX-License-Identifier: Apache-2.0
#include "analyzer/service/notify.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstddef>
#include <cstdlib>

#include "analyzer/service/connect.h"
#include "analyzer/service/passed_fds.h"
#include "shared/os/clock.h"
#include "shared/os/file.h"
#include "shared/os/rights.h"

namespace tiercel::app {

namespace {

// Returns the variable's value, and removes it, so that child processes do not see it.
std::string take(const char* name) {
    const char* value = std::getenv(name);
    std::string taken = value != nullptr ? value : "";
    unsetenv(name);
    return taken;
}

// Returns 0 unless the watchdog is meant for this process, as sd_watchdog_enabled(3) does.
std::uint64_t watchdog_ns(const std::string& microseconds, const std::string& pid) {
    const auto wanted = os::parse_unsigned(microseconds);
    const auto whose = os::parse_unsigned(pid);
    const bool ours = pid.empty() || whose == static_cast<std::uint64_t>(getpid());
    return wanted && ours && *wanted <= UINT64_MAX / 1000 ? *wanted * 1000 : 0;
}

} // namespace

os::Result<Notify> Notify::from_environment() {
    const std::string path = take("NOTIFY_SOCKET");
    const std::string microseconds = take("WATCHDOG_USEC"), pid = take("WATCHDOG_PID");
    const std::string keeper = take("TIERCEL_KEEPER");
    if (path.empty())
        return of_keeper(keeper);
    Notify notify;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if ((path[0] != '/' && path[0] != '@') || path.size() >= sizeof address.sun_path)
        return os::error("use", "NOTIFY_SOCKET: it is neither a path nor an abstract name", EINVAL);
    std::copy(path.begin(), path.end(), address.sun_path);
    if (path[0] == '@')
        address.sun_path[0] = '\0';
    // An abstract name ends where the address does; a path may.
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
    os::UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket.valid() ||
        connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), length) != 0)
        return os::error("connect to the service manager at", path);
    notify.socket_ = std::move(socket);
    notify.every_ns_ = watchdog_ns(microseconds, pid) / 2;
    return notify;
}

Notify Notify::of_keeper(const std::string& where) {
    Notify notify;
    if (where.empty())
        return notify;
    const auto number = os::parse_unsigned(where);
    auto socket = number && *number <= INT_MAX
                      ? os::Result<os::UniqueFd>(os::UniqueFd(static_cast<int>(*number)))
                      : connect_patiently(where.c_str());
    auto received = socket ? receive_passed(*socket) : os::Result<void>(socket.error());
    if (!received) {
        os::print("analyzer", received.error(), "a restart will ask privd");
        return notify;
    }
    notify.socket_ = *std::move(socket);
    notify.has_privd_ = !number;
    return notify;
}

void Notify::starting(std::string_view status) const {
    send("EXTEND_TIMEOUT_USEC=120000000\nSTATUS=" + std::string(status));
}

void Notify::status(std::string_view status) const {
    send("STATUS=" + std::string(status));
}

void Notify::ready(std::string_view status) const {
    send("READY=1\nSTATUS=" + std::string(status));
}

void Notify::alive(std::uint64_t now_ns) {
    if (every_ns_ == 0 || now_ns < next_ns_)
        return;
    next_ns_ = now_ns + every_ns_;
    send("WATCHDOG=1");
}

void Notify::stopping() const {
    send("STOPPING=1");
}

// Without FDPOLL=0 systemd closes what reports EPOLLERR to poll(2), and a BPF array does.
os::Result<void> Notify::store(std::string_view name, std::span<const int> fds,
                               std::uint64_t deadline_ns) const {
    std::string message = "FDSTORE=1\nFDPOLL=0\nFDNAME=" + std::string(name);
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kMostStored)] = {};
    iovec part{message.data(), message.size()};
    msghdr whole{nullptr, 0, &part, 1, control, CMSG_LEN(fds.size_bytes()), 0};
    os::attach_fds(whole, fds);
    if (!wait_and_send(whole, deadline_ns))
        return os::error("give the service manager", name);
    return {};
}

void Notify::forget(std::string_view name, std::uint64_t deadline_ns) const {
    std::string message = "FDSTOREREMOVE=1\nFDNAME=" + std::string(name);
    iovec part{message.data(), message.size()};
    (void)wait_and_send({nullptr, 0, &part, 1, nullptr, 0, 0}, deadline_ns);
}

// Returns false with errno. A manager takes a few messages at a time (net.unix.max_dgram_qlen).
// Waits until there is room for one more too, because READY=1 is sent without waiting.
bool Notify::wait_and_send(const msghdr& message, std::uint64_t deadline_ns) const {
    bool sent = false;
    while (socket_.valid() && os::now_ns(CLOCK_MONOTONIC) < deadline_ns) {
        sent = sent || sendmsg(socket_.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
        if (!sent && errno != EAGAIN && errno != EINTR)
            return false;
        pollfd writable{.fd = socket_.get(), .events = POLLOUT, .revents = 0};
        if (poll(&writable, 1, 10) > 0 && sent)
            return true;
    }
    errno = ETIMEDOUT;
    return false;
}

void Notify::send(const std::string& message) const {
    if (!socket_.valid())
        return;
    // The socket does not block, because a manager that hangs must not stop the sensor. A message
    // that is lost is sent again at the next turn. It is connected, because the sandbox permits
    // neither an address nor a descriptor in a message.
    (void)::send(socket_.get(), message.data(), message.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

} // namespace tiercel::app
