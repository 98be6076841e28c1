// SPDX-License-Identifier: Apache-2.0
//
// Fd holds what is known of one open file descriptor. FdTable holds the fds of a process; threads
// and processes that share their files share the table.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "analyzer/state/flat_map.h"
#include "analyzer/state/text.h"

namespace tiercel::state {

// The values are those of the fd lists in captures.
enum class FdKind : std::uint8_t {
    unknown = 0,
    file = 1,
    directory = 2,
    ipv4 = 3,
    ipv6 = 4,
    ipv4_server = 5, // bound to a port
    ipv6_server = 6,
    pipe = 7,
    unix_socket = 8,
    event = 9,
    unsupported = 10,
    signalfd = 11,
    eventpoll = 12,
    inotify = 13,
    timerfd = 14,
    netlink = 15,
    file_with_flags = 16, // only in captures: a file with its open flags
    bpf = 17,
    userfaultfd = 18,
    io_uring = 19,
    memfd = 20,
    pidfd = 21,
};
std::string_view fd_kind_name(FdKind kind); // as fd.type prints it
char fd_kind_letter(FdKind kind);           // as fd.typechar prints it

enum class L4 : std::uint8_t { unknown = 0, none = 1, tcp = 2, udp = 3, icmp = 4, raw = 5 };
std::string_view l4_name(L4 protocol); // empty for unknown and none

using Address = std::array<std::uint8_t, 16>; // IPv4: the first four, network order

struct Fd {
    enum Flags : std::uint16_t {
        server = 1 << 0,
        client = 1 << 1,
        connected = 1 << 2,
        pending = 1 << 3, // connect() is under way
        failed = 1 << 4,  // connect() failed
        cloexec = 1 << 5,
        upper_layer = 1 << 6, // of an overlay file system
        lower_layer = 1 << 7,
    };

    FdKind kind = FdKind::unknown;
    L4 l4 = L4::unknown;
    std::uint16_t flags = 0;
    std::uint16_t source_port = 0;
    std::uint16_t dest_port = 0;
    std::uint32_t open_flags = 0; // file_flags of the event table
    std::uint32_t dev = 0;
    std::uint32_t mount = 0;
    std::uint64_t ino = 0;
    Address source{}; // the client's end; a listening socket has its own address in `dest`
    Address dest{};
    std::uint64_t unix_source = 0;
    std::uint64_t unix_dest = 0;
    Text name;     // as fd.name prints it
    Text raw_name; // of files: the path as the process gave it

    bool is(Flags flag) const { return (flags & flag) != 0; }
    void set(Flags flag, bool on = true) {
        flags = static_cast<std::uint16_t>(on ? flags | flag : flags & ~flag);
    }
    bool has_role() const { return (flags & (server | client)) != 0; }
    bool is_ipv4() const { return kind == FdKind::ipv4 || kind == FdKind::ipv4_server; }
    bool is_ipv6() const { return kind == FdKind::ipv6 || kind == FdKind::ipv6_server; }
    bool is_ip() const { return is_ipv4() || is_ipv6(); }
    bool is_connection() const { return kind == FdKind::ipv4 || kind == FdKind::ipv6; }
    // Falco shows the protocol of a connection only once it knows which end is the server.
    L4 shown_l4() const { return is_connection() && !has_role() ? L4::none : l4; }
};

class FdTable {
  public:
    Fd* find(std::int64_t fd) { return fds_.find(fd); }
    const Fd* find(std::int64_t fd) const { return fds_.find(fd); }
    // Adds or replaces an entry. Returns nullptr if the table is full; the caller counts that.
    Fd* add(std::int64_t fd, Fd entry, std::size_t limit) {
        if (fd < 0)
            return nullptr;
        Fd* known = fds_.find(fd);
        if (known == nullptr && fds_.size() >= limit)
            return nullptr;
        Fd& slot = known != nullptr ? *known : fds_[fd];
        slot = std::move(entry);
        return &slot;
    }
    bool erase(std::int64_t fd) { return fds_.erase(fd); }
    void close_on_exec();
    // Closes the fds first … last, or only marks them close-on-exec.
    void close_range(std::int64_t first, std::int64_t last, bool only_mark);
    std::size_t size() const { return fds_.size(); }
    void clear() { fds_.clear(); }
    template <typename Visit>
    void for_each(Visit&& visit) {
        fds_.for_each(visit);
    }
    template <typename Visit>
    void for_each(Visit&& visit) const {
        fds_.for_each(visit);
    }

  private:
    FlatMap<Fd> fds_;
};

} // namespace tiercel::state
