// SPDX-License-Identifier: Apache-2.0
//
// Fields of a connection's two ends: by role (client, server) and by place (local, remote).
#include <netdb.h>
#include <netinet/in.h>

#include "analyzer/fields/values.h"

namespace tiercel::filter {
namespace {

using state::Fd;

enum End : std::uint16_t { CLIENT, SERVER, LOCAL, REMOTE, BOTH };

const Fd* socket_of(const EventContext& event) {
    return event.thread != nullptr && event.fd != nullptr && event.fd->is_ip() ? event.fd : nullptr;
}

// Whether the `source` side answers for `end`. Nothing: the socket has no such end, or none that is
// known. A connection's source is its client; the local end is the server's when this process is
// it.
std::optional<bool> is_source(const Fd& fd, std::uint16_t end) {
    if (!fd.is_connection())
        return end == SERVER ? std::optional(false) : std::nullopt;
    if (!fd.has_role())
        return std::nullopt;
    switch (end) {
    case CLIENT: return true;
    case SERVER: return false;
    case LOCAL: return fd.is(Fd::client);
    default: return fd.is(Fd::server);
    }
}

std::string_view address_text(const Fd& fd, bool source) {
    const state::Address& ip = source ? fd.source : fd.dest;
    return {reinterpret_cast<const char*>(ip.data()), fd.is_ipv6() ? ip.size() : 4};
}

Values ip(const EventContext& event, const Argument& argument, Value& single) {
    const Fd* fd = socket_of(event);
    if (fd == nullptr)
        return no_value();
    if (argument.variant != BOTH) {
        const auto source = is_source(*fd, argument.variant);
        return source ? text_value(single, address_text(*fd, *source)) : no_value();
    }
    const std::span<Value> values = event.arena->array<Value>(2);
    std::uint32_t count = 0;
    if (fd->is_connection())
        values[count++].text = address_text(*fd, true);
    values[count++].text = address_text(*fd, false);
    return {true, values.data(), count};
}

Values port(const EventContext& event, const Argument& argument, Value& single) {
    const Fd* fd = socket_of(event);
    if (fd == nullptr)
        return no_value();
    if (argument.variant != BOTH) {
        const auto source = is_source(*fd, argument.variant);
        return source ? unsigned_value(single, *source ? fd->source_port : fd->dest_port)
                      : no_value();
    }
    const std::span<Value> values = event.arena->array<Value>(2);
    std::uint32_t count = 0;
    if (fd->is_connection())
        values[count++].number = fd->source_port;
    values[count++].number = fd->dest_port;
    return {true, values.data(), count};
}

// Services have names in /etc/services, which the sensor does not read: the port stands for itself.
Values protocol(const EventContext& event, const Argument& argument, Value& single) {
    Value number;
    if (!port(event, argument, number).present)
        return no_value();
    return text_value(single, event.arena->copy(std::to_string(number.number)));
}

Values is_server(const EventContext& event, const Argument&, Value& single) {
    if (event.thread == nullptr || event.fd == nullptr)
        return no_value();
    return bool_value(single, event.fd->is_ip() && event.fd->is(Fd::server));
}

// Names are not looked up: it would tell the network what is being watched.
Values never(const EventContext&, const Argument&, Value&) {
    return no_value();
}

constexpr ValueType T = ValueType::text;
constexpr ValueType A = ValueType::address;
constexpr ValueType N = ValueType::network;
constexpr ValueType U = ValueType::unsigned_number;
constexpr auto kNone = FieldArgument::none;
constexpr auto kSingle = Plurality::single;
constexpr auto kEnds = Plurality::endpoints;

constexpr FieldInfo kFields[] = {
    {"fd.ip", "IPADDR", A, "Address of either end.", ip, BOTH, kNone, kEnds, 3},
    {"fd.cip", "IPADDR", A, "Address of the client.", ip, CLIENT, kNone, kSingle, 1},
    {"fd.sip", "IPADDR", A, "Address of the server.", ip, SERVER, kNone, kSingle, 1},
    {"fd.lip", "IPADDR", A, "Address of this machine's end.", ip, LOCAL, kNone, kSingle, 1},
    {"fd.rip", "IPADDR", A, "Address of the other end.", ip, REMOTE, kNone, kSingle, 1},
    {"fd.net", "IPNET", N, "Address of either end, compared with networks.", ip, BOTH, kNone, kEnds,
     3},
    {"fd.cnet", "IPNET", N, "Address of the client, compared with networks.", ip, CLIENT, kNone,
     kSingle, 1},
    {"fd.snet", "IPNET", N, "Address of the server, compared with networks.", ip, SERVER, kNone,
     kSingle, 1},
    {"fd.lnet", "IPNET", N, "Address of this machine's end, compared with networks.", ip, LOCAL,
     kNone, kSingle, 1},
    {"fd.rnet", "IPNET", N, "Address of the other end, compared with networks.", ip, REMOTE, kNone,
     kSingle, 1},
    {"fd.port", "PORT", U, "Port of either end.", port, BOTH, kNone, kEnds, 3},
    {"fd.cport", "PORT", U, "Port of the client.", port, CLIENT, kNone, kSingle, 1},
    {"fd.sport", "PORT", U, "Port of the server.", port, SERVER, kNone, kSingle, 1},
    {"fd.lport", "PORT", U, "Port of this machine's end.", port, LOCAL, kNone, kSingle, 1},
    {"fd.rport", "PORT", U, "Port of the other end.", port, REMOTE, kNone, kSingle, 1},
    {"fd.proto", "PORT", U, "Port of either end, as fd.port.", port, BOTH, kNone, kEnds, 3},
    {"fd.cproto", "CHARBUF", T, "The client's port as text.", protocol, CLIENT},
    {"fd.sproto", "CHARBUF", T, "The server's port as text.", protocol, SERVER},
    {"fd.lproto", "CHARBUF", T, "The local port as text.", protocol, LOCAL},
    {"fd.rproto", "CHARBUF", T, "The remote port as text.", protocol, REMOTE},
    {"fd.is_server", "BOOL", ValueType::boolean,
     "Whether this process is the server of the connection.", is_server, 0, kNone, kSingle, 1},
    {"fd.cip.name", "CHARBUF", T, "Always without a value: names are not looked up.", never},
    {"fd.sip.name", "CHARBUF", T, "Always without a value: names are not looked up.", never},
    {"fd.lip.name", "CHARBUF", T, "Always without a value: names are not looked up.", never},
    {"fd.rip.name", "CHARBUF", T, "Always without a value: names are not looked up.", never},
};

} // namespace

std::span<const FieldInfo> fd_peer_fields() {
    return kFields;
}

} // namespace tiercel::filter
