// SPDX-License-Identifier: Apache-2.0
//
// Parses the socket addresses and tuples of events, and prints them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "analyzer/state/fd.h"
#include "shared/event/params.h"
#include "shared/event/view.h"

namespace tiercel::state {

inline constexpr std::uint8_t kFamilyUnix = event::flags::socket_families::kAF_UNIX;
inline constexpr std::uint8_t kFamilyInet = event::flags::socket_families::kAF_INET;
inline constexpr std::uint8_t kFamilyInet6 = event::flags::socket_families::kAF_INET6;

struct Endpoint {
    Address ip{};
    std::uint16_t port = 0;
};

// Parameter of type SOCKADDR.
struct SocketAddress {
    std::uint8_t family = 0;
    Endpoint end;          // inet, inet6
    std::string_view path; // unix
};
std::optional<SocketAddress> parse_address(event::Bytes bytes);

// Parameter of type SOCKTUPLE. Pairs of IPv4-mapped IPv6 addresses become IPv4.
struct SocketTuple {
    std::uint8_t family = 0;
    Endpoint source, dest;         // inet, inet6
    std::uint64_t unix_source = 0; // kernel addresses of the two sockets
    std::uint64_t unix_dest = 0;
    std::string_view path; // unix
};
std::optional<SocketTuple> parse_tuple(event::Bytes bytes);

bool is_mapped_ipv4(const Address& ip);
// The IPv4 address within `ip`, in the first four bytes.
Address unmap_ipv4(const Address& ip);

void append_ip(std::string& out, const Address& ip, bool is_v6);
void append_endpoint(std::string& out, const Endpoint& end,
                     bool is_v6);                              // "10.0.0.1:443", "::1:443"
void append_tuple(std::string& out, const SocketTuple& tuple); // "a:1->b:2"
void append_address(std::string& out, const SocketAddress& address);
// The name of a connection or a server's socket, from its addresses.
std::string socket_name(const Fd& fd);

} // namespace tiercel::state
