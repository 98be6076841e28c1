// SPDX-License-Identifier: Apache-2.0
//
// Implements the decoding of parameters: the kind of each type, addresses, and names of values.
#include "analyzer/output/param.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <algorithm>
#include <optional>

namespace tiercel::output {

namespace {

using event::ParamType;

struct Shape {
    ParamKind kind = {};
    bool is_signed = false;
};

Shape shape_of(ParamType type) {
    using enum ParamType;
    switch (type) {
    case NONE:
    case DYN: return {ParamKind::none};
    case INT8:
    case INT16:
    case INT32:
    case INT64: return {ParamKind::signed_number, true};
    case UINT8:
    case UINT16:
    case UINT32:
    case UINT64:
    case PORT: return {ParamKind::unsigned_number};
    case ERRNO: return {ParamKind::result, true};
    case FD:
    case FD32: return {ParamKind::fd, true};
    case PID:
    case PID32: return {ParamKind::pid, true};
    case FLAGS8:
    case FLAGS16:
    case FLAGS32:
    case MODE: return {ParamKind::flags};
    case ENUMFLAGS8:
    case ENUMFLAGS16:
    case ENUMFLAGS32: return {ParamKind::enumeration};
    case UID: return {ParamKind::user};
    case GID: return {ParamKind::group};
    case SIGTYPE: return {ParamKind::signal};
    case SIGSET: return {ParamKind::signal_set};
    case SYSCALLID: return {ParamKind::syscall};
    case RELTIME: return {ParamKind::interval};
    case ABSTIME: return {ParamKind::moment};
    case BOOL: return {ParamKind::boolean};
    case DOUBLE: return {ParamKind::real};
    case CHARBUF:
    case FSPATH:
    case FSRELPATH: return {ParamKind::text};
    case CHARBUFARRAY:
    case CHARBUF_PAIR_ARRAY: return {ParamKind::texts};
    case BYTEBUF: return {ParamKind::bytes};
    case SOCKADDR:
    case IPV4ADDR:
    case IPV6ADDR: return {ParamKind::address};
    case SOCKTUPLE: return {ParamKind::tuple};
    case FDLIST: return {ParamKind::fd_list};
    }
    return {ParamKind::none};
}

std::uint64_t load_number(event::Bytes bytes, bool is_signed) {
    std::uint64_t value = 0; // little-endian, as events are
    std::memcpy(&value, bytes.data(), bytes.size());
    const auto unused = static_cast<unsigned>(64 - 8 * bytes.size());
    if (is_signed)
        return static_cast<std::uint64_t>(static_cast<std::int64_t>(value << unused) >> unused);
    return value;
}

// Removes an address and a port from the front of `bytes`. Returns false if it is too short.
bool take_endpoint(event::Bytes& bytes, int family, Endpoint& into) {
    const std::size_t ip = family == AF_INET ? 4 : 16;
    std::uint16_t port = 0;
    if (bytes.size() < ip + sizeof port)
        return false;
    inet_ntop(family, bytes.data(), into.ip, sizeof into.ip);
    std::memcpy(&port, bytes.data() + ip, sizeof port);
    into.port = port;
    bytes = bytes.subspan(ip + sizeof port);
    return true;
}

std::string_view until_nul(event::Bytes bytes) {
    const auto* chars = reinterpret_cast<const char*>(bytes.data());
    return {chars, strnlen(chars, bytes.size())};
}

// The type of the table, or for DYN parameters the type that the first byte picks.
std::optional<ParamType> actual_type(const event::ParamInfo& info, event::Bytes& bytes) {
    if (info.type != ParamType::DYN)
        return info.type;
    if (bytes.empty())
        return std::nullopt;
    const auto kind = std::to_integer<std::uint8_t>(bytes.front());
    bytes = bytes.subspan(1);
    return event::dynamic_type(info.dynamic, kind);
}

} // namespace

std::string_view Param::as_text() const {
    return until_nul(bytes);
}

Param decode(const event::EventView& event, std::uint32_t index) {
    Param param;
    param.bytes = event.param(index);
    if (param.bytes.empty() || index >= event.info().params.size())
        return param;
    const event::ParamInfo& info = event.info().params[index];
    const auto type = actual_type(info, param.bytes);
    if (!type)
        return param;
    const Shape shape = shape_of(*type);
    const std::size_t width = event::width(*type);
    if (width != 0 && param.bytes.size() != width)
        return param;
    if (shape.kind == ParamKind::real)
        std::memcpy(&param.real, param.bytes.data(), sizeof param.real);
    else if (width != 0 && width <= sizeof param.number)
        param.number = load_number(param.bytes, shape.is_signed);
    param.kind = shape.kind;
    param.format = info.format;
    param.flags = info.flags;
    if ((param.kind == ParamKind::user || param.kind == ParamKind::group) &&
        param.number == UINT32_MAX)
        param.kind = ParamKind::none;
    return param;
}

bool decode_addresses(const Param& param, Addresses& into) {
    event::Bytes rest = param.bytes;
    if (param.kind == ParamKind::address &&
        (rest.size() == 4 || rest.size() == 16)) { // IPV4ADDR, IPV6ADDR
        into.family = rest.size() == 4 ? AF_INET : AF_INET6;
        inet_ntop(into.family, rest.data(), into.source.ip, sizeof into.source.ip);
        return true;
    }
    into.family = std::to_integer<std::uint8_t>(rest.front());
    rest = rest.subspan(1);
    const bool both = param.kind == ParamKind::tuple;
    if (into.family == AF_INET || into.family == AF_INET6)
        return take_endpoint(rest, into.family, into.source) &&
               (!both || take_endpoint(rest, into.family, into.destination));
    if (into.family != AF_UNIX)
        return false;
    if (both) {
        if (rest.size() < 2 * sizeof(std::uint64_t))
            return false;
        std::memcpy(&into.source.kernel_address, rest.data(), sizeof(std::uint64_t));
        std::memcpy(&into.destination.kernel_address, rest.data() + 8, sizeof(std::uint64_t));
        rest = rest.subspan(2 * sizeof(std::uint64_t));
    }
    into.path = until_nul(rest);
    return true;
}

std::string_view enum_name(event::FlagSet set, std::uint64_t value) {
    const auto flags = event::flags_of(set);
    const auto found = std::ranges::find(flags, value, &event::Flag::value);
    return found == flags.end() ? std::string_view() : found->name;
}

std::string_view signal_name(std::uint64_t number) {
    const char* name = number < 65 ? sigabbrev_np(static_cast<int>(number)) : nullptr;
    return name == nullptr ? std::string_view() : name;
}

} // namespace tiercel::output
