// SPDX-License-Identifier: Apache-2.0
//
// Fields of a connection's two ends: by role (client, server) and by place (local, remote).
#include <string>

#include "analyzer/fields/values.h"
#include "analyzer/match/host_names.h"

namespace tiercel::filter {
namespace {

using state::Fd;

enum class End : std::uint8_t { client, server, local, remote };

const Fd* socket_of(const EventContext& event) {
    return event.thread != nullptr && event.fd != nullptr && event.fd->is_ip() ? event.fd : nullptr;
}

// Returns true if `end` is the source of the socket, false if it is the destination, and nothing if
// the socket has no such end or the end is not known. The source of a connection is its client. The
// local end is the server's if this process is the server.
std::optional<bool> is_source(const Fd& fd, End end) {
    if (!fd.is_connection())
        return end == End::server ? std::optional(false) : std::nullopt;
    if (!fd.has_role())
        return std::nullopt;
    switch (end) {
    case End::client: return true;
    case End::server: return false;
    case End::local: return fd.is(Fd::client);
    case End::remote: return fd.is(Fd::server);
    }
    return std::nullopt;
}

std::string_view address_text(const Fd& fd, bool source) {
    const state::Address& ip = source ? fd.ends->source : fd.ends->dest;
    return {reinterpret_cast<const char*>(ip.data()), fd.is_ipv6() ? ip.size() : 4};
}

template <End end>
std::optional<std::string_view> address(const EventContext& event) {
    const Fd* fd = socket_of(event);
    const auto source = fd != nullptr ? is_source(*fd, end) : std::nullopt;
    return source ? std::optional(address_text(*fd, *source)) : std::nullopt;
}

template <End end>
std::optional<std::uint16_t> port(const EventContext& event) {
    const Fd* fd = socket_of(event);
    const auto source = fd != nullptr ? is_source(*fd, end) : std::nullopt;
    return source ? std::optional(*source ? fd->ends->source_port : fd->ends->dest_port)
                  : std::nullopt;
}

Value address_value(const Fd& fd, bool source) {
    Value value;
    value.text = address_text(fd, source);
    return value;
}

Value port_value(const Fd& fd, bool source) {
    Value value;
    value.number = source ? fd.ends->source_port : fd.ends->dest_port;
    return value;
}

// Returns `value_of` each end that the socket has.
template <auto value_of>
Values both_ends(const EventContext& event) {
    const Fd* fd = socket_of(event);
    if (fd == nullptr)
        return no_value();
    const std::span<Value> values = event.arena->array<Value>(2);
    std::uint32_t count = 0;
    if (fd->is_connection())
        values[count++] = value_of(*fd, true);
    values[count++] = value_of(*fd, false);
    return {true, values.data(), count};
}

// The port as text. Names of services are for conditions: `fd.sport = ssh`.
template <End end>
std::optional<std::string> port_text(const EventContext& event) {
    const auto number = port<end>(event);
    return number ? std::optional(std::to_string(*number)) : std::nullopt;
}

std::optional<bool> is_server(const EventContext& event) {
    if (event.thread == nullptr || event.fd == nullptr)
        return std::nullopt;
    return event.fd->is_ip() && event.fd->is(Fd::server);
}

// Returns the names that /etc/hosts has for the address of this end.
template <End end>
Values host_names(const EventContext& event, const Argument&, Value&) {
    const auto ip = address<end>(event);
    const auto names = ip ? find_host_names(*ip) : std::span<const std::string_view>();
    if (names.empty())
        return no_value();
    const std::span<Value> values = event.arena->array<Value>(names.size());
    for (std::size_t i = 0; i < names.size(); ++i)
        values[i].text = names[i];
    return {true, values.data(), static_cast<std::uint32_t>(names.size())};
}

constexpr FieldInfo kFields[] = {
    {"fd.ip", kAddress, "Address of either end.", of_event<both_ends<address_value>>, kEnds,
     cost(3)},
    {"fd.cip", kAddress, "Address of the client.", of_event<address<End::client>>, cost(1)},
    {"fd.sip", kAddress, "Address of the server.", of_event<address<End::server>>, cost(1)},
    {"fd.lip", kAddress, "Address of this machine's end.", of_event<address<End::local>>, cost(1)},
    {"fd.rip", kAddress, "Address of the other end.", of_event<address<End::remote>>, cost(1)},
    {"fd.net", kNetwork, "Address of either end, compared with networks.",
     of_event<both_ends<address_value>>, kEnds, cost(3)},
    {"fd.cnet", kNetwork, "Address of the client, compared with networks.",
     of_event<address<End::client>>, cost(1)},
    {"fd.snet", kNetwork, "Address of the server, compared with networks.",
     of_event<address<End::server>>, cost(1)},
    {"fd.lnet", kNetwork, "Address of this machine's end, compared with networks.",
     of_event<address<End::local>>, cost(1)},
    {"fd.rnet", kNetwork, "Address of the other end, compared with networks.",
     of_event<address<End::remote>>, cost(1)},
    {"fd.port", kPort, "Port of either end.", of_event<both_ends<port_value>>, kEnds, cost(3)},
    {"fd.cport", kPort, "Port of the client.", of_event<port<End::client>>, cost(1)},
    {"fd.sport", kPort, "Port of the server.", of_event<port<End::server>>, cost(1)},
    {"fd.lport", kPort, "Port of this machine's end.", of_event<port<End::local>>, cost(1)},
    {"fd.rport", kPort, "Port of the other end.", of_event<port<End::remote>>, cost(1)},
    {"fd.proto", kPort, "Port of either end, as fd.port.", of_event<both_ends<port_value>>, kEnds,
     cost(3)},
    {"fd.cproto", kText, "The client's port as text.", of_event<port_text<End::client>>},
    {"fd.sproto", kText, "The server's port as text.", of_event<port_text<End::server>>},
    {"fd.lproto", kText, "The local port as text.", of_event<port_text<End::local>>},
    {"fd.rproto", kText, "The remote port as text.", of_event<port_text<End::remote>>},
    {"fd.is_server", kBool, "Whether this process is the server of the connection.",
     of_event<is_server>, cost(1)},
    {"fd.cip.name", kText, "Names of the client in /etc/hosts.", host_names<End::client>},
    {"fd.sip.name", kText, "Names of the server in /etc/hosts.", host_names<End::server>},
    {"fd.lip.name", kText, "Names of this machine's end in /etc/hosts.", host_names<End::local>},
    {"fd.rip.name", kText, "Names of the other end in /etc/hosts.", host_names<End::remote>},
};

} // namespace

std::span<const FieldInfo> fd_peer_fields() {
    return kFields;
}

} // namespace tiercel::filter
