// SPDX-License-Identifier: Apache-2.0
#include "analyzer/app/live.h"

#include <chrono>
#include <climits>
#include <cstdlib>
#include <fcntl.h>
#include <sys/socket.h>
#include <thread>

#include "analyzer/app/options.h"
#include "analyzer/ring/bpf_ring.h"
#include "analyzer/ring/perf_ring.h"
#include "shared/os/file.h"

namespace tiercel::app {

namespace {

constexpr std::chrono::seconds kPatience{3};
constexpr const char* kInherited = "TIERCEL_PRIVD_FD";

// The socket that `privd --exec` left open for its analyzer.
os::Result<os::UniqueFd> inherited_socket(const char* number) {
    const auto fd = os::parse_unsigned(number);
    int type = 0;
    socklen_t length = sizeof type;
    if (!fd || *fd <= STDERR_FILENO || *fd > INT_MAX)
        return os::error("use", "TIERCEL_PRIVD_FD: it is not the number of an open socket", EBADF);
    os::UniqueFd socket(static_cast<int>(*fd));
    if (getsockopt(socket.get(), SOL_SOCKET, SO_TYPE, &type, &length) != 0 ||
        type != SOCK_SEQPACKET) {
        (void)socket.release(); // whatever it is, it is not ours to close
        return os::error("use", "TIERCEL_PRIVD_FD: it is not the number of an open socket", EBADF);
    }
    fcntl(socket.get(), F_SETFD, FD_CLOEXEC);
    unsetenv(kInherited);
    return socket;
}

// Containers, and units without socket activation, are started at once: privd may not listen yet.
os::Result<os::UniqueFd> connect_patiently(const char* path) {
    constexpr std::chrono::milliseconds kPause{50};
    for (auto waited = kPause; waited < kPatience; waited += kPause) {
        auto socket = wire::client::connect_to(path);
        if (socket || (socket.error().number != ENOENT && socket.error().number != ECONNREFUSED))
            return socket;
        std::this_thread::sleep_for(kPause);
    }
    return wire::client::connect_to(path);
}

os::Result<os::UniqueFd> reach_privd(const std::string& path) {
    if (!path.empty())
        return connect_patiently(path.c_str());
    if (const char* number = std::getenv(kInherited))
        return inherited_socket(number);
    return wire::client::connect_to(kDefaultSocket);
}

} // namespace

std::variant<Live, Refusal, os::Error> open_live(const std::string& path,
                                                 const wire::Request& request) {
    auto socket = reach_privd(path);
    if (!socket)
        return socket.error();
    auto session = wire::client::open_session(*socket, request);
    if (!session)
        return session.error();
    if (session->reply.status != wire::Status::ok)
        return Refusal{wire::client::describe(session->reply)};
    if (session->rings.empty() || session->counters.size() != 1)
        return os::error("use", "what privd handed over: rings or counters are missing", EBADMSG);

    const auto map = session->reply.driver == wire::Driver::classic
                         ? ring::RingSet::map<ring::PerfRing>
                         : ring::RingSet::map<ring::BpfRing>;
    auto rings = map(session->rings, session->reply.ring_bytes);
    if (!rings)
        return rings.error();
    auto counters = ring::Counters::map(session->counters.front(), session->reply.cpus);
    if (!counters)
        return counters.error();
    session->counters.clear(); // mappings outlive their fds
    return Live{*std::move(socket), *std::move(session), *std::move(rings), *std::move(counters)};
}

} // namespace tiercel::app
