// SPDX-License-Identifier: Apache-2.0
#include "analyzer/state/socket.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace tiercel::state {
namespace {

constexpr Address kMappedPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

Endpoint read_end(const std::byte* at, std::size_t ip_size) {
    Endpoint end;
    std::memcpy(end.ip.data(), at, ip_size);
    std::memcpy(&end.port, at + ip_size, sizeof end.port);
    return end;
}

std::string_view read_path(event::Bytes bytes, std::size_t from) {
    if (bytes.size() <= from)
        return {};
    const auto* chars = reinterpret_cast<const char*>(bytes.data()) + from;
    return {chars, strnlen(chars, bytes.size() - from)};
}

void append_number(std::string& out, std::uint64_t number, int base) {
    char digits[20];
    const auto end = std::to_chars(digits, digits + sizeof digits, number, base).ptr;
    out.append(digits, end);
}

} // namespace

bool is_mapped_ipv4(const Address& ip) {
    return std::equal(kMappedPrefix.begin(), kMappedPrefix.begin() + 12, ip.begin());
}

Address unmap_ipv4(const Address& ip) {
    Address out{};
    std::copy(ip.begin() + 12, ip.end(), out.begin());
    return out;
}

std::optional<SocketAddress> parse_address(event::Bytes bytes) {
    if (bytes.empty())
        return std::nullopt;
    SocketAddress address;
    address.family = static_cast<std::uint8_t>(bytes[0]);
    switch (address.family) {
    case kFamilyInet:
        if (bytes.size() != 1 + 4 + 2)
            return std::nullopt;
        address.end = read_end(bytes.data() + 1, 4);
        break;
    case kFamilyInet6:
        if (bytes.size() != 1 + 16 + 2)
            return std::nullopt;
        address.end = read_end(bytes.data() + 1, 16);
        break;
    case kFamilyUnix: address.path = read_path(bytes, 1); break;
    default: break;
    }
    return address;
}

std::optional<SocketTuple> parse_tuple(event::Bytes bytes) {
    if (bytes.empty())
        return std::nullopt;
    SocketTuple tuple;
    tuple.family = static_cast<std::uint8_t>(bytes[0]);
    const std::byte* at = bytes.data() + 1;
    switch (tuple.family) {
    case kFamilyInet:
        if (bytes.size() != 1 + 2 * (4 + 2))
            return std::nullopt;
        tuple.source = read_end(at, 4);
        tuple.dest = read_end(at + 6, 4);
        break;
    case kFamilyInet6:
        if (bytes.size() != 1 + 2 * (16 + 2))
            return std::nullopt;
        tuple.source = read_end(at, 16);
        tuple.dest = read_end(at + 18, 16);
        if (is_mapped_ipv4(tuple.source.ip) && is_mapped_ipv4(tuple.dest.ip)) {
            tuple.family = kFamilyInet;
            tuple.source.ip = unmap_ipv4(tuple.source.ip);
            tuple.dest.ip = unmap_ipv4(tuple.dest.ip);
        }
        break;
    case kFamilyUnix:
        if (bytes.size() < 1 + 8 + 8)
            return std::nullopt;
        std::memcpy(&tuple.unix_source, at, 8);
        std::memcpy(&tuple.unix_dest, at + 8, 8);
        tuple.path = read_path(bytes, 17);
        break;
    default: break;
    }
    return tuple;
}

void append_ip(std::string& out, const Address& ip, bool is_v6) {
    char text[INET6_ADDRSTRLEN];
    if (inet_ntop(is_v6 ? AF_INET6 : AF_INET, ip.data(), text, sizeof text) != nullptr)
        out += text;
}

void append_endpoint(std::string& out, const Endpoint& end, bool is_v6) {
    append_ip(out, end.ip, is_v6);
    out += ':';
    append_number(out, end.port, 10);
}

void append_tuple(std::string& out, const SocketTuple& tuple) {
    switch (tuple.family) {
    case kFamilyInet:
    case kFamilyInet6:
        append_endpoint(out, tuple.source, tuple.family == kFamilyInet6);
        out += "->";
        append_endpoint(out, tuple.dest, tuple.family == kFamilyInet6);
        break;
    case kFamilyUnix:
        append_number(out, tuple.unix_source, 16);
        out += "->";
        append_number(out, tuple.unix_dest, 16);
        out += ' ';
        out += tuple.path;
        break;
    default: out += "family "; append_number(out, tuple.family, 10);
    }
}

void append_address(std::string& out, const SocketAddress& address) {
    switch (address.family) {
    case kFamilyInet: append_endpoint(out, address.end, false); break;
    case kFamilyInet6: append_endpoint(out, address.end, true); break;
    case kFamilyUnix: out += address.path; break;
    default: out += "family "; append_number(out, address.family, 10);
    }
}

std::string socket_name(const Fd& fd) {
    std::string name;
    switch (fd.kind) {
    case FdKind::ipv4:
    case FdKind::ipv6:
        append_endpoint(name, {fd.ends->source, fd.ends->source_port}, fd.is_ipv6());
        name += "->";
        [[fallthrough]];
    case FdKind::ipv4_server:
    case FdKind::ipv6_server:
        append_endpoint(name, {fd.ends->dest, fd.ends->dest_port}, fd.is_ipv6());
        break;
    default: break;
    }
    return name;
}

} // namespace tiercel::state
