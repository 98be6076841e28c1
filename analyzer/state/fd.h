// SPDX-License-Identifier: Apache-2.0
//
// Fd holds what is known of one open file descriptor. FdTable holds the fds of a process; threads
// and processes that share their files share the table.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "analyzer/state/aside.h"
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

// The addresses of a socket.
struct SocketEnds {
    // The client's end. A listening socket has its own address in `dest`. Of Unix sockets, the
    // kernel's addresses of both ends.
    union {
        Address source{};
        std::uint64_t unix_source;
    };
    union {
        Address dest{};
        std::uint64_t unix_dest;
    };
    std::uint16_t source_port = 0;
    std::uint16_t dest_port = 0;

    void swap() {
        std::swap(source, dest);
        std::swap(source_port, dest_port);
    }
};

// The names of a file besides Fd::name. Each is empty if it does not differ.
struct OtherNames {
    Text raw;    // the path as the process gave it; Fd::raw_name() returns it
    Text given;  // `name` by that path, if the kernel's path differs; Unix sockets have it too
    Text origin; // the kernel's path without bind mounts
};

// What all descriptors have is in Fd itself. There may be a million, so what only sockets have, or
// few files, is kept aside.
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
        kernel_path = 1 << 8, // `name` is the kernel's path, not the process's text
        whole_path = 1 << 9,  // the process gave the path as `name`, or as `given`
    };

    FdKind kind = FdKind::unknown;
    L4 l4 = L4::unknown;
    std::uint16_t flags = 0;
    std::uint32_t open_flags = 0; // file_flags of the event table
    std::uint32_t dev = 0;
    std::uint64_t ino = 0;
    Text name; // as fd.name prints it
    Aside<OtherNames> others;
    Aside<SocketEnds> ends;

    bool is(Flags flag) const { return (flags & flag) != 0; }
    void set(Flags flag, bool on = true) {
        flags = static_cast<std::uint16_t>(on ? flags | flag : flags & ~flag);
    }
    // Of files: the path as the process gave it; empty if that is not known.
    std::string_view raw_name() const {
        if (!is(whole_path))
            return others->raw;
        return others->given.empty() ? name : others->given;
    }
    bool has_role() const { return (flags & (server | client)) != 0; }
    bool is_ipv4() const { return kind == FdKind::ipv4 || kind == FdKind::ipv4_server; }
    bool is_ipv6() const { return kind == FdKind::ipv6 || kind == FdKind::ipv6_server; }
    bool is_ip() const { return is_ipv4() || is_ipv6(); }
    bool is_connection() const { return kind == FdKind::ipv4 || kind == FdKind::ipv6; }
    // Falco shows the protocol of a connection only once it knows which end is the server.
    L4 shown_l4() const { return is_connection() && !has_role() ? L4::none : l4; }
};

// A reference to an Fd that several tables may share.
class SharedFd {
  public:
    SharedFd() = default;
    SharedFd(Fd fd, std::uint32_t age);
    SharedFd(const SharedFd& other) : entry_(other.entry_) {
        if (entry_ != nullptr)
            ++entry_->users;
    }
    SharedFd(SharedFd&& other) noexcept : entry_(std::exchange(other.entry_, nullptr)) {}
    SharedFd& operator=(SharedFd other) noexcept {
        std::swap(entry_, other.entry_);
        return *this;
    }
    ~SharedFd();

    const Fd& get() const { return entry_->fd; }
    std::uint32_t age() const { return entry_->age; }
    // The entry for a change; makes a copy of an entry that other tables share.
    Fd& edit();

  private:
    struct Entry {
        Fd fd;
        std::uint32_t users = 1;
        std::uint32_t age = 0;
    };
    static Entry* make(Fd fd, std::uint32_t age);
    Entry* entry_ = nullptr;
};

// Copies share their content until one of them changes.
class FdTable {
  public:
    const Fd* find(std::int64_t fd) const {
        const SharedFd* found = map_ ? map_->find(fd) : nullptr;
        return found != nullptr ? &found->get() : nullptr;
    }
    // The entry for a change, or nullptr.
    Fd* edit(std::int64_t fd);
    // Adds or replaces an entry. If the table has `limit` entries, first removes an old one and
    // sets `displaced`; it prefers files to sockets. Returns nullptr if `fd` is negative.
    const Fd* add(std::int64_t fd, Fd entry, std::size_t limit, bool& displaced);
    bool erase(std::int64_t fd);
    void close_on_exec();
    // Closes the fds first … last, or only marks them close-on-exec.
    void close_range(std::int64_t first, std::int64_t last, bool only_mark);
    std::size_t size() const { return map_ ? map_->size() : 0; }
    void clear() { map_.reset(); }
    // Calls visit(number, const Fd&) for each entry.
    template <typename Visit>
    void for_each(Visit&& visit) const {
        if (map_)
            map_->for_each([&](std::int64_t fd, const SharedFd& entry) { visit(fd, entry.get()); });
    }

  private:
    using Map = FlatMap<SharedFd>;
    Map& own(); // the map for a change
    void displace(Map& map);
    template <typename Matches>
    void erase_if(Matches matches);

    std::shared_ptr<Map> map_; // null: empty
    std::uint32_t next_age_ = 0;
    std::size_t hand_ = 0; // the slot at which displace() goes on
};

} // namespace tiercel::state
