// SPDX-License-Identifier: Apache-2.0
//
// Handlers of the events that make, bind and connect sockets, and of those whose data names a
// socket.
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <optional>
#include <string>
#include <utility>

#include "analyzer/state/update.h"
#include "shared/event/params.h"

namespace tiercel::state {
namespace {

using namespace event;

namespace families = event::flags::socket_families;
namespace connect = event::param::SOCKET_CONNECT_X;
constexpr std::uint32_t kTypeMask = 0xf; // of socket(2)'s type; the other bits are flags

L4 l4_of(std::uint32_t type, std::uint32_t protocol) {
    switch (protocol) {
    case IPPROTO_TCP: return type == SOCK_RAW ? L4::raw : L4::tcp;
    case IPPROTO_UDP: return type == SOCK_RAW ? L4::raw : L4::udp;
    case IPPROTO_IP:
        return type == SOCK_STREAM ? L4::tcp : type == SOCK_DGRAM ? L4::udp : L4::unknown;
    case IPPROTO_ICMP: return type == SOCK_RAW ? L4::raw : L4::icmp;
    case IPPROTO_RAW: return L4::raw;
    default: return L4::unknown;
    }
}

void apply_socket(const Update& update) {
    namespace socket = param::SOCKET_SOCKET_X;
    if (!update.succeeded() || update.event.param(socket::fd).empty() ||
        update.event.param(socket::domain).empty())
        return;
    const std::uint32_t domain = update.flags_param(socket::domain);
    const std::uint32_t type = update.flags_param(socket::type);
    Fd fd;
    fd.set(Fd::cloexec, (type & SOCK_CLOEXEC) != 0 || (update.flags_param(socket::flags) &
                                                       event::flags::file_flags::kO_CLOEXEC) != 0);
    if (domain == kFamilyUnix) {
        fd.kind = FdKind::unix_socket;
    } else if (domain == kFamilyInet || domain == kFamilyInet6) {
        fd.kind = domain == kFamilyInet ? FdKind::ipv4 : FdKind::ipv6;
        fd.l4 = l4_of(type & kTypeMask, update.flags_param(socket::proto));
    } else if (domain == families::kAF_NETLINK) {
        fd.kind = FdKind::netlink;
    }
    update.add_fd(update.result(), std::move(fd));
}

void apply_socketpair(const Update& update) {
    namespace pair = param::SOCKET_SOCKETPAIR_X;
    const auto first = update.event.number<std::int64_t>(pair::fd1);
    const auto second = update.event.number<std::int64_t>(pair::fd2);
    if (!update.succeeded() || !first || !second || *first == *second)
        return;
    Fd fd;
    fd.kind = FdKind::unix_socket;
    SocketEnds& ends = fd.ends.edit();
    ends.unix_source = update.event.number<std::uint64_t>(pair::source).value_or(0);
    ends.unix_dest = update.event.number<std::uint64_t>(pair::peer).value_or(0);
    fd.set(Fd::cloexec, (update.flags_param(pair::type) & SOCK_CLOEXEC) != 0);
    Fd other = fd;
    other.ends.edit().swap();
    update.add_fd(*first, std::move(fd));
    update.add_fd(*second, std::move(other));
}

void apply_bind(const Update& update) {
    Fd* fd = update.edit_fd();
    const auto address = parse_address(update.event.param(param::SOCKET_BIND_X::addr));
    if (!update.succeeded() || fd == nullptr || !address)
        return;
    // A socket bound to a port is taken for a server's. Port 0 only picks the local address.
    const bool inet = address->family == kFamilyInet || address->family == kFamilyInet6;
    if (inet && address->end.port != 0) {
        const bool mapped = address->family == kFamilyInet6 && is_mapped_ipv4(address->end.ip);
        const bool v4 = address->family == kFamilyInet || mapped;
        fd->kind = v4 ? FdKind::ipv4_server : FdKind::ipv6_server;
        fd->ends.edit().dest = mapped ? unmap_ipv4(address->end.ip) : address->end.ip;
        fd->ends.edit().dest_port = address->end.port;
        fd->set(Fd::server);
        fd->set(Fd::client, false);
    }
    std::string name;
    append_address(name, *address);
    fd->name.set(name);
    fd->others = {};
    update.rename(*fd, update.kernel_path(param::SOCKET_BIND_X::realpath));
    update.now.fd_name_changed = true;
}

// Puts the addresses of a tuple into the fd. Returns false if the fd has them already, from either
// end. Keeps a known destination unless `always` is set.
bool set_endpoints(Fd& fd, const SocketTuple& tuple, bool always) {
    const Endpoint source{fd.ends->source, fd.ends->source_port};
    const Endpoint dest{fd.ends->dest, fd.ends->dest_port};
    const auto same = [](const Endpoint& a, const Endpoint& b) {
        return a.ip == b.ip && a.port == b.port;
    };
    if (fd.is_connection() && ((same(source, tuple.source) && same(dest, tuple.dest)) ||
                               (same(source, tuple.dest) && same(dest, tuple.source))))
        return false;
    SocketEnds& ends = fd.ends.edit();
    ends.source = tuple.source.ip;
    ends.source_port = tuple.source.port;
    if (always || ends.dest == Address{})
        ends.dest = tuple.dest.ip;
    if (always || ends.dest_port == 0)
        ends.dest_port = tuple.dest.port;
    return true;
}

void set_unix(Fd& fd, const SocketTuple& tuple) {
    fd.kind = FdKind::unix_socket;
    fd.ends.edit().unix_source = tuple.unix_source;
    fd.ends.edit().unix_dest = tuple.unix_dest;
}

// Gives a connected Unix socket the kernel's path of its peer.
void name_by_kernel(const Update& update, Fd& fd, SocketTuple tuple) {
    const std::string_view path = update.kernel_path(connect::realpath);
    fd.others = {};
    if (path.empty())
        return;
    tuple.path = path;
    std::string name;
    append_tuple(name, tuple);
    update.rename(fd, name);
}

void connect_by_address(Fd& fd, const SocketAddress& address) {
    if (address.family == kFamilyInet || address.family == kFamilyInet6) {
        const bool mapped = address.family == kFamilyInet6 && is_mapped_ipv4(address.end.ip);
        fd.kind = address.family == kFamilyInet || mapped ? FdKind::ipv4 : FdKind::ipv6;
        fd.ends.edit().dest = mapped ? unmap_ipv4(address.end.ip) : address.end.ip;
        fd.ends.edit().dest_port = address.end.port;
    }
}

// Replaces the destination by that of the enter event where the tuple only repeats the process's
// memory after the call, because the kernel used the address from before the call.
void trust_enter(const Update& update, SocketTuple& tuple) {
    const auto enter = update.enter();
    if (!enter)
        return;
    const auto before = parse_address(enter->param(param::SOCKET_CONNECT_E::addr));
    const auto after = parse_address(update.event.param(connect::addr));
    if (!before || !after || before->family != tuple.family || after->family != tuple.family)
        return;
    if (tuple.family == kFamilyUnix) {
        if (after->path == tuple.path)
            tuple.path = before->path;
    } else if (after->end.ip == tuple.dest.ip && after->end.port == tuple.dest.port) {
        tuple.dest = before->end;
    }
}

void apply_connect(const Update& update) {
    Fd* fd = update.edit_fd();
    const std::int64_t result = update.result();
    if (fd == nullptr)
        return;
    fd->set(Fd::pending, result == -EINPROGRESS);
    fd->set(Fd::failed, result < 0 && result != -EINPROGRESS);
    if (result < 0 && result != -EINPROGRESS)
        return;
    fd->set(Fd::connected);
    auto tuple = parse_tuple(update.event.param(connect::tuple));
    if (!tuple) {
        // TCP fast open connects only with the first data.
        const auto enter = update.enter();
        if (const auto address = parse_address(enter ? enter->param(param::SOCKET_CONNECT_E::addr)
                                                     : update.event.param(connect::addr)))
            connect_by_address(*fd, *address);
        return;
    }
    trust_enter(update, *tuple);
    if (tuple->family == kFamilyInet || tuple->family == kFamilyInet6) {
        fd->kind = tuple->family == kFamilyInet ? FdKind::ipv4 : FdKind::ipv6;
        if (set_endpoints(*fd, *tuple, true) && fd->is(Fd::server) && fd->l4 == L4::udp)
            fd->ends.edit().swap(); // a server that connects to its client
        fd->name.set(socket_name(*fd));
    } else {
        if (fd->kind != FdKind::unix_socket)
            return;
        set_unix(*fd, *tuple);
        std::string name;
        append_tuple(name, *tuple);
        fd->name.set(name);
        name_by_kernel(update, *fd, *tuple);
    }
    update.now.fd_name_changed = true;
    if (!fd->has_role())
        fd->set(Fd::client);
}

void apply_accept(const Update& update) {
    namespace accept = param::SOCKET_ACCEPT_5_X;
    static_assert(+accept::tuple == +param::SOCKET_ACCEPT4_6_X::tuple);
    if (!update.succeeded() || update.event.param(accept::fd).empty())
        return;
    update.now.fd_num = update.result();
    // What the table has at this number is closed, even if its close was not seen.
    update.process().fds->erase(update.result());
    const auto tuple = parse_tuple(update.event.param(accept::tuple));
    if (!tuple)
        return;
    Fd fd;
    if (tuple->family == kFamilyInet || tuple->family == kFamilyInet6) {
        set_endpoints(fd, *tuple, true);
        fd.kind = tuple->family == kFamilyInet ? FdKind::ipv4 : FdKind::ipv6;
        fd.l4 = L4::tcp;
    } else if (tuple->family == kFamilyUnix) {
        set_unix(fd, *tuple);
    } else {
        return;
    }
    std::string name;
    append_tuple(name, *tuple);
    fd.name = Text(name);
    fd.set(Fd::server);
    fd.set(Fd::connected);
    update.add_fd(update.result(), std::move(fd));
}

// Guesses which end is the server if no bind, connect or accept was seen: the end with a port below
// 1024, or else the receiver.
void guess_role(Fd& fd, bool incoming) {
    const auto is_low = [](std::uint16_t port) { return port != 0 && port < 1024; };
    const bool low_source = is_low(fd.ends->source_port);
    const bool low_dest = is_low(fd.ends->dest_port);
    if (low_source != low_dest)
        fd.set(low_dest == incoming ? Fd::server : Fd::client);
    else
        fd.set(incoming ? Fd::server : Fd::client);
}

// Names a datagram socket by the addresses that came with its data.
void name_by_traffic(const Update& update, std::uint32_t tuple_index, bool incoming) {
    const auto tuple = parse_tuple(update.event.param(tuple_index));
    if (!tuple || (!update.now.fd->name.empty() && update.now.fd->l4 == L4::tcp))
        return;
    Fd& fd = *update.edit_fd();
    if (tuple->family == kFamilyUnix) {
        set_unix(fd, *tuple);
        std::string name;
        append_tuple(name, *tuple);
        update.now.fd_name_changed = fd.name.view() != name;
        fd.name.set(name);
        return;
    }
    if (tuple->family != kFamilyInet && tuple->family != kFamilyInet6)
        return;
    fd.kind = tuple->family == kFamilyInet ? FdKind::ipv4 : FdKind::ipv6;
    if (!set_endpoints(fd, *tuple, false))
        return;
    if (fd.l4 == L4::unknown)
        fd.l4 = L4::udp; // the addresses of a stream do not change
    if (!fd.has_role())
        guess_role(fd, incoming);
    // `source` is the client's end, so the ends of data from the server are swapped.
    if (fd.is(incoming ? Fd::client : Fd::server))
        fd.ends.edit().swap();
    const std::string name = socket_name(fd);
    update.now.fd_name_changed = fd.name.view() != name;
    fd.name.set(name);
}

void apply_traffic(const Update& update, std::optional<std::uint32_t> tuple_index, bool incoming) {
    const Fd* fd = update.now.fd;
    if (fd == nullptr || update.event.param(Update::kResult).empty() || !update.succeeded())
        return;
    if (fd->is_connection() && (!fd->is(Fd::connected) || fd->is(Fd::pending))) {
        Fd& edited = *update.edit_fd();
        edited.set(Fd::connected);
        edited.set(Fd::pending, false);
    }
    if (tuple_index)
        name_by_traffic(update, *tuple_index, incoming);
}

void apply_recvfrom(const Update& update) {
    apply_traffic(update, param::SOCKET_RECVFROM_X::tuple, true);
}
void apply_recvmsg(const Update& update) {
    apply_traffic(update, param::SOCKET_RECVMSG_X::tuple, true);
}
void apply_recv(const Update& update) {
    static_assert(+param::SOCKET_RECV_X::tuple == +param::SOCKET_RECVMMSG_X::tuple);
    apply_traffic(update, param::SOCKET_RECV_X::tuple, true);
}
// TCP fast open connects with the first data, which may be pending when the call returns.
void apply_send(const Update& update) {
    static_assert(+param::SOCKET_SEND_X::tuple == +param::SOCKET_SENDTO_X::tuple &&
                  +param::SOCKET_SEND_X::tuple == +param::SOCKET_SENDMSG_X::tuple &&
                  +param::SOCKET_SEND_X::tuple == +param::SOCKET_SENDMMSG_X::tuple);
    if (update.result() == -EINPROGRESS && update.now.fd != nullptr)
        return name_by_traffic(update, param::SOCKET_SEND_X::tuple, false);
    apply_traffic(update, param::SOCKET_SEND_X::tuple, false);
}
void apply_read(const Update& update) {
    apply_traffic(update, std::nullopt, true);
}
void apply_write(const Update& update) {
    apply_traffic(update, std::nullopt, false);
}

// A program asks for SO_ERROR to learn whether its pending connect() has succeeded.
void apply_getsockopt(const Update& update) {
    namespace getsockopt = param::SOCKET_GETSOCKOPT_X;
    // The first byte of `val` picks the type of the rest: see dynamic_type() in shared/event.
    const auto is_errno = [](std::byte kind) {
        return event::dynamic_type(event::DynamicSet::sockopt,
                                   std::to_integer<std::uint8_t>(kind)) == event::ParamType::ERRNO;
    };
    Fd* fd = update.edit_fd();
    if (fd == nullptr || !update.succeeded() ||
        update.event.number<std::uint8_t>(getsockopt::level).value_or(0) !=
            event::flags::sockopt_levels::kSOL_SOCKET ||
        update.event.number<std::uint8_t>(getsockopt::optname).value_or(0) !=
            event::flags::sockopt_options::kSO_ERROR)
        return;
    const Bytes value = update.event.param(getsockopt::val);
    std::int64_t error = 0;
    if (value.size() != 1 + sizeof error || !is_errno(value[0]))
        return;
    std::memcpy(&error, value.data() + 1, sizeof error);
    fd->set(Fd::pending, false);
    fd->set(error < 0 ? Fd::failed : Fd::connected);
}

constexpr Handler kHandlers[] = {
    {SOCKET_SOCKET_X, apply_socket},
    {SOCKET_SOCKETPAIR_X, apply_socketpair},
    {SOCKET_BIND_X, apply_bind},
    {SOCKET_CONNECT_X, apply_connect},
    {SOCKET_ACCEPT_5_X, apply_accept},
    {SOCKET_ACCEPT4_6_X, apply_accept},
    {SOCKET_RECVFROM_X, apply_recvfrom},
    {SOCKET_RECVMSG_X, apply_recvmsg},
    {SOCKET_RECVMMSG_X, apply_recv},
    {SOCKET_RECV_X, apply_recv},
    {SOCKET_SEND_X, apply_send},
    {SOCKET_SENDTO_X, apply_send},
    {SOCKET_SENDMSG_X, apply_send},
    {SOCKET_SENDMMSG_X, apply_send},
    {SYSCALL_READ_X, apply_read},
    {SYSCALL_READV_X, apply_read},
    {SYSCALL_WRITE_X, apply_write},
    {SYSCALL_WRITEV_X, apply_write},
    {SOCKET_GETSOCKOPT_X, apply_getsockopt},
};

} // namespace

std::span<const Handler> socket_handlers() {
    return kHandlers;
}

} // namespace tiercel::state
