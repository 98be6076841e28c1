// SPDX-License-Identifier: Apache-2.0
#include "analyzer/source/live.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <climits>
#include <cstdlib>

#include "analyzer/ring/bpf_ring.h"
#include "analyzer/ring/perf_ring.h"
#include "analyzer/service/connect.h"
#include "shared/os/file.h"
#include "shared/os/inherited.h"

namespace tiercel::app {

namespace {

// A socket that `privd --exec` left open for its analyzer.
os::Result<os::UniqueFd> inherited_socket(std::string_view number) {
    const auto fd = os::parse_unsigned(number);
    int type = 0;
    socklen_t length = sizeof type;
    if (!fd || *fd <= STDERR_FILENO || *fd > INT_MAX)
        return os::error("use", "TIERCEL_PRIVD_FD: it is not the number of an open socket", EBADF);
    os::UniqueFd socket(static_cast<int>(*fd));
    if (getsockopt(socket.get(), SOL_SOCKET, SO_TYPE, &type, &length) != 0 ||
        type != SOCK_SEQPACKET) {
        (void)socket.release(); // a descriptor of another kind belongs to another part
        return os::error("use", "TIERCEL_PRIVD_FD: it is not the number of an open socket", EBADF);
    }
    return socket;
}

// Returns the sockets to ask, in the order of preference: one, or one for each driver started.
os::Result<std::vector<os::UniqueFd>> reach_privd(const std::string& path) {
    std::vector<os::UniqueFd> sockets;
    const std::string_view inherited = os::inherited().privd_sockets;
    if (!path.empty() || inherited.empty()) {
        auto socket = path.empty() ? wire::client::connect_to(kDefaultSocket)
                                   : connect_patiently(path.c_str());
        if (!socket)
            return socket.error();
        sockets.push_back(*std::move(socket));
        return sockets;
    }
    for (std::string_view rest = inherited; !rest.empty();) {
        auto socket = inherited_socket(rest.substr(0, rest.find(',')));
        if (!socket)
            return socket.error();
        sockets.push_back(*std::move(socket));
        rest.remove_prefix(std::min(rest.size(), rest.find(',')));
        rest.remove_prefix(rest.empty() ? 0 : 1);
    }
    return sockets;
}

using Opened = std::variant<Live, Refusal, os::Error>;

Opened map_session(os::UniqueFd socket, wire::client::Session session) {
    if (session.rings.empty() || session.counters.size() != 1)
        return os::error("use", "what privd sent: rings or counters are missing", EBADMSG);
    const auto map = session.reply.driver == wire::Driver::classic
                         ? ring::RingSet::map<ring::PerfRing>
                         : ring::RingSet::map<ring::BpfRing>;
    auto rings = map(session.rings, session.reply.ring_bytes);
    if (!rings)
        return rings.error();
    auto counters = ring::Counters::map(session.counters.front(), session.reply.cpus);
    if (!counters)
        return counters.error();
    session.counters.clear(); // mappings outlive their fds
    return Live{std::move(socket), std::move(session), *std::move(rings), *std::move(counters)};
}

} // namespace

Opened open_live(const std::string& path, const wire::Request& request) {
    auto sockets = reach_privd(path);
    if (!sockets)
        return sockets.error();
    const bool choice = sockets->size() > 1;
    for (os::UniqueFd& socket : *sockets) {
        auto session = wire::client::open_session(socket, request);
        if (!session && !choice)
            return session.error();
        if (!session) // this loader ended, and has printed why
            continue;
        const wire::Reply& reply = session->reply;
        if (reply.status == wire::Status::ok)
            return map_session(std::move(socket), *std::move(session));
        if (!choice || request.driver == reply.driver)
            return Refusal{wire::client::describe(reply)};
        if (reply.status !=
            wire::Status::not_built_in) // the request named a driver, and this one is another
            fmt::print(stderr, "analyzer: driver {} is passed over: {}\n",
                       wire::option_of(reply.driver), wire::client::describe(reply));
    }
    return Refusal{"no driver for the whole machine works here; for the events of one program, "
                   "which need no privilege: tiercel-trace -- COMMAND"};
}

} // namespace tiercel::app
