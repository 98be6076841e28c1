// SPDX-License-Identifier: Apache-2.0
//
// Sockets: made, bound, connected, and named by what goes through them.
#include <string>
#include <utility>

#include "analyzer/state/update.h"

namespace tiercel::state {
namespace {

using namespace event;

constexpr std::uint32_t kFamilyNetlink = 16;
constexpr std::uint32_t kTypeMask = 0xf;         // of socket(2)'s type: the rest are flags
constexpr std::uint32_t kTypeCloexec = 02000000; // SOCK_CLOEXEC, and what all 64-bit ports have
constexpr std::uint32_t kFileCloexec = 1u << 12; // of file_flags
constexpr std::uint32_t kStream = 1, kDatagram = 2, kRaw = 3;
constexpr std::uint32_t kProtocolIp = 0, kProtocolIcmp = 1, kProtocolTcp = 6, kProtocolUdp = 17,
                        kProtocolRaw = 255;
constexpr std::int64_t kInProgress = -115;

L4 l4_of(std::uint32_t type, std::uint32_t protocol) {
    switch (protocol) {
    case kProtocolTcp: return type == kRaw ? L4::raw : L4::tcp;
    case kProtocolUdp: return type == kRaw ? L4::raw : L4::udp;
    case kProtocolIp: return type == kStream ? L4::tcp : type == kDatagram ? L4::udp : L4::unknown;
    case kProtocolIcmp: return type == kRaw ? L4::raw : L4::icmp;
    case kProtocolRaw: return L4::raw;
    default: return L4::unknown;
    }
}

void apply_socket(const Update& update) {
    if (!update.succeeded() || update.event.param(0).empty() || update.event.param(1).empty())
        return;
    const std::uint32_t domain = update.flags_param(1);
    const std::uint32_t type = update.flags_param(2);
    Fd fd;
    fd.set(Fd::cloexec, (type & kTypeCloexec) != 0 || (update.flags_param(4) & kFileCloexec) != 0);
    if (domain == kFamilyUnix) {
        fd.kind = FdKind::unix_socket;
    } else if (domain == kFamilyInet || domain == kFamilyInet6) {
        fd.kind = domain == kFamilyInet ? FdKind::ipv4 : FdKind::ipv6;
        fd.l4 = l4_of(type & kTypeMask, update.flags_param(3));
    } else if (domain == kFamilyNetlink) {
        fd.kind = FdKind::netlink;
    }
    update.add_fd(update.result(), std::move(fd));
}

void apply_socketpair(const Update& update) {
    const auto first = update.event.number<std::int64_t>(1);
    const auto second = update.event.number<std::int64_t>(2);
    if (!update.succeeded() || !first || !second || *first == *second)
        return;
    Fd fd;
    fd.kind = FdKind::unix_socket;
    fd.unix_source = update.event.number<std::uint64_t>(3).value_or(0);
    fd.unix_dest = update.event.number<std::uint64_t>(4).value_or(0);
    fd.set(Fd::cloexec, (update.flags_param(6) & kTypeCloexec) != 0);
    Fd other = fd;
    std::swap(other.unix_source, other.unix_dest);
    update.add_fd(*first, std::move(fd));
    update.add_fd(*second, std::move(other));
}

void apply_bind(const Update& update) {
    Fd* fd = update.now.fd;
    const auto address = parse_address(update.event.param(1));
    if (!update.succeeded() || fd == nullptr || !address)
        return;
    // A port given here means that others are to come to it; port 0 only picks the own address.
    const bool inet = address->family == kFamilyInet || address->family == kFamilyInet6;
    if (inet && address->end.port != 0) {
        const bool mapped = address->family == kFamilyInet6 && is_mapped_ipv4(address->end.ip);
        const bool v4 = address->family == kFamilyInet || mapped;
        fd->kind = v4 ? FdKind::ipv4_server : FdKind::ipv6_server;
        fd->dest = mapped ? unmap_ipv4(address->end.ip) : address->end.ip;
        fd->dest_port = address->end.port;
        fd->set(Fd::server);
        fd->set(Fd::client, false);
    }
    std::string name;
    append_address(name, *address);
    fd->name.set(name);
    update.now.fd_name_changed = true;
}

// The addresses of a tuple go into the fd. Whether anything is new; a tuple that is the known one
// read from the other end is not. Unless `always`, a known destination stays.
bool set_endpoints(Fd& fd, const SocketTuple& tuple, bool always) {
    const Endpoint source{fd.source, fd.source_port};
    const Endpoint dest{fd.dest, fd.dest_port};
    const auto same = [](const Endpoint& a, const Endpoint& b) {
        return a.ip == b.ip && a.port == b.port;
    };
    if (fd.is_connection() && ((same(source, tuple.source) && same(dest, tuple.dest)) ||
                               (same(source, tuple.dest) && same(dest, tuple.source))))
        return false;
    fd.source = tuple.source.ip;
    fd.source_port = tuple.source.port;
    if (always || fd.dest == Address{})
        fd.dest = tuple.dest.ip;
    if (always || fd.dest_port == 0)
        fd.dest_port = tuple.dest.port;
    return true;
}

void swap_ends(Fd& fd) {
    std::swap(fd.source, fd.dest);
    std::swap(fd.source_port, fd.dest_port);
}

void set_unix(Fd& fd, const SocketTuple& tuple) {
    fd.kind = FdKind::unix_socket;
    fd.unix_source = tuple.unix_source;
    fd.unix_dest = tuple.unix_dest;
}

void connect_by_address(Fd& fd, const SocketAddress& address) {
    if (address.family == kFamilyInet || address.family == kFamilyInet6) {
        const bool mapped = address.family == kFamilyInet6 && is_mapped_ipv4(address.end.ip);
        fd.kind = address.family == kFamilyInet || mapped ? FdKind::ipv4 : FdKind::ipv6;
        fd.dest = mapped ? unmap_ipv4(address.end.ip) : address.end.ip;
        fd.dest_port = address.end.port;
    }
}

// Where the tuple only repeats what lay in the process's memory at the end of the call, the address
// of the beginning, which the kernel used, is the truth.
void trust_enter(const Update& update, SocketTuple& tuple) {
    const auto enter = update.enter();
    if (!enter)
        return;
    const auto before = parse_address(enter->param(1));
    const auto after = parse_address(update.event.param(3));
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
    Fd* fd = update.now.fd;
    const std::int64_t result = update.result();
    if (fd == nullptr)
        return;
    fd->set(Fd::pending, result == kInProgress);
    fd->set(Fd::failed, result < 0 && result != kInProgress);
    if (result < 0 && result != kInProgress)
        return;
    fd->set(Fd::connected);
    auto tuple = parse_tuple(update.event.param(1));
    if (!tuple) {
        // TCP fast open: the connection is not made before the first data.
        if (const auto enter = update.enter())
            if (const auto address = parse_address(enter->param(1)))
                connect_by_address(*fd, *address);
        return;
    }
    trust_enter(update, *tuple);
    if (tuple->family == kFamilyInet || tuple->family == kFamilyInet6) {
        fd->kind = tuple->family == kFamilyInet ? FdKind::ipv4 : FdKind::ipv6;
        if (set_endpoints(*fd, *tuple, true) && fd->is(Fd::server) && fd->l4 == L4::udp)
            swap_ends(*fd); // a server that connects to its client
        fd->name.set(socket_name(*fd));
    } else {
        if (fd->kind != FdKind::unix_socket)
            return;
        set_unix(*fd, *tuple);
        std::string name;
        append_tuple(name, *tuple);
        fd->name.set(name);
    }
    update.now.fd_name_changed = true;
    if (!fd->has_role())
        fd->set(Fd::client);
}

void apply_accept(const Update& update) {
    if (!update.succeeded() || update.event.param(0).empty())
        return;
    update.now.fd_num = update.result();
    const auto tuple = parse_tuple(update.event.param(1));
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

// Which end is the server, when neither bind, connect nor accept were seen: the one with the lower
// port, as far as that tells; the peer of a sender, otherwise.
void guess_role(Fd& fd, bool incoming) {
    const bool low_source = fd.source_port != 0 && fd.source_port < 1024;
    const bool low_dest = fd.dest_port != 0 && fd.dest_port < 1024;
    if (low_source != low_dest)
        fd.set(low_dest == incoming ? Fd::server : Fd::client);
    else
        fd.set(incoming ? Fd::server : Fd::client);
}

// Data came or went with an address: datagram sockets get their name so.
void name_by_traffic(const Update& update, std::uint32_t param, bool incoming) {
    Fd& fd = *update.now.fd;
    const auto tuple = parse_tuple(update.event.param(param));
    if (!tuple || !(fd.name.empty() || fd.l4 != L4::tcp))
        return;
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
        fd.l4 = L4::udp; // a stream's addresses would not change under way
    if (!fd.has_role())
        guess_role(fd, incoming);
    // The client's end is kept as the source: turn what it received and what a server sent.
    if (fd.is(incoming ? Fd::client : Fd::server))
        swap_ends(fd);
    const std::string name = socket_name(fd);
    update.now.fd_name_changed = fd.name.view() != name;
    fd.name.set(name);
}

void apply_traffic(const Update& update, int param, bool incoming) {
    Fd* fd = update.now.fd;
    if (fd == nullptr || update.event.param(0).empty() || !update.succeeded())
        return;
    if (fd->is_connection()) {
        fd->set(Fd::connected);
        fd->set(Fd::pending, false);
    }
    if (param >= 0)
        name_by_traffic(update, static_cast<std::uint32_t>(param), incoming);
}

void apply_recvfrom(const Update& update) {
    apply_traffic(update, 2, true);
}
void apply_recvmsg(const Update& update) {
    apply_traffic(update, 3, true);
}
void apply_recv(const Update& update) {
    apply_traffic(update, 4, true);
}
void apply_send(const Update& update) {
    apply_traffic(update, 4, false);
}
void apply_read(const Update& update) {
    apply_traffic(update, -1, true);
}
void apply_write(const Update& update) {
    apply_traffic(update, -1, false);
}

// A socket whose connect is under way has arrived, or not, when its error is asked for.
void apply_getsockopt(const Update& update) {
    constexpr std::uint8_t kLevelSocket = 1, kOptionError = 4, kKindErrno = 1;
    Fd* fd = update.now.fd;
    if (fd == nullptr || !update.succeeded() ||
        update.event.number<std::uint8_t>(2).value_or(0) != kLevelSocket ||
        update.event.number<std::uint8_t>(3).value_or(0) != kOptionError)
        return;
    const Bytes value = update.event.param(4);
    std::int64_t error = 0;
    if (value.size() != 1 + sizeof error || static_cast<std::uint8_t>(value[0]) != kKindErrno)
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
