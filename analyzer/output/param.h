// SPDX-License-Identifier: Apache-2.0
//
// Param is one parameter of an event, decoded as far as text and JSON have in common. It points
// into the event and must not outlive it.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "shared/event/view.h"

namespace tiercel::output {

enum class ParamKind : std::uint8_t {
    none, // no value, or a value of the wrong width
    signed_number,
    unsigned_number,
    result, // negative: -errno
    fd,
    pid,
    flags,       // several names
    enumeration, // one name
    user,
    group,
    signal,
    signal_set, // bit N-1: signal N
    syscall,    // scap code
    interval,   // ns
    moment,     // ns since the epoch
    boolean,
    real,
    text,
    texts, // NUL-terminated, one after the other
    bytes,
    address, // family, ip, port
    tuple,   // family, then two ends
    fd_list,
};

// One end of a connection. Unix sockets have a kernel address and a path instead of ip and port.
struct Endpoint {
    char ip[46] = "";       // as inet_ntop(3) writes it; empty: none
    std::int32_t port = -1; // -1: none
    std::uint64_t kernel_address = 0;
};

struct Addresses {
    std::uint8_t family = 0; // AF_UNIX, AF_INET, AF_INET6 as Linux numbers them
    Endpoint source;         // also holds a single address
    Endpoint destination;
    std::string_view path; // Unix
};

struct Param {
    ParamKind kind = ParamKind::none;
    event::Format format = event::Format::NA;
    event::FlagSet flags = event::FlagSet::none;
    std::uint64_t number = 0; // signed numbers are sign-extended
    double real = 0;
    event::Bytes bytes; // of text, texts, bytes, address, tuple, fd_list

    std::int64_t as_signed() const { return static_cast<std::int64_t>(number); }
    std::string_view as_text() const; // up to the first NUL
};

Param decode(const event::EventView& event, std::uint32_t index);

// Stores the ends of an `address` or `tuple`. Returns false if the bytes are malformed.
bool decode_addresses(const Param& param, Addresses& into);

// Calls visit(fd, flags) for each complete entry of an `fd_list`.
template <typename Visit>
void for_each_fd(event::Bytes list, Visit&& visit) {
    constexpr std::size_t kEntry = sizeof(std::int64_t) + sizeof(std::int16_t);
    for (std::size_t at = sizeof(std::uint16_t); at + kEntry <= list.size(); at += kEntry) {
        std::int64_t fd = 0;
        std::int16_t flags = 0;
        std::memcpy(&fd, list.data() + at, sizeof fd);
        std::memcpy(&flags, list.data() + at + sizeof fd, sizeof flags);
        visit(fd, flags);
    }
}

// Calls visit(name) for each name of the value, in the table's order. A name may cover several
// bits. Zero has a name only if the table has one.
template <typename Visit>
void for_each_flag(event::FlagSet set, std::uint64_t value, Visit&& visit) {
    std::uint64_t left = value;
    for (const event::Flag& flag : event::flags_of(set)) {
        const bool matches = flag.value == 0 ? value == 0 : (left & flag.value) == flag.value;
        if (matches) {
            visit(flag.name);
            left &= ~std::uint64_t{flag.value};
        }
    }
}

// The name of an enumeration's value; empty if it has none.
std::string_view enum_name(event::FlagSet set, std::uint64_t value);
// "KILL" for 9; empty if there is no such signal.
std::string_view signal_name(std::uint64_t number);

} // namespace tiercel::output
