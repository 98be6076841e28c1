// SPDX-License-Identifier: Apache-2.0
//
// Implements the readers of lists.h, for every version of each list.
#include "analyzer/capture/lists.h"

#include <algorithm>
#include <utility>

#include "analyzer/capture/blocks.h"
#include "analyzer/state/socket.h"
#include "shared/event/params.h"

namespace tiercel::capture {
namespace {

using state::Fd;
using state::FdKind;
using state::Text;
using state::Thread;

// Longer texts are cut: libscap writes none (SCAP_MAX_PATH_SIZE, SCAP_MAX_ARGS_SIZE,
// SCAP_MAX_ENV_SIZE).
constexpr std::size_t kMaxPath = 1024, kMaxStrings = 4096, kMaxFdName = 4096;

// Which version of the process list a block is.
int version_of(std::uint32_t type) {
    constexpr std::uint32_t kVersions[] = {PROCESS_LIST_V1, PROCESS_LIST_V2, PROCESS_LIST_V3,
                                           PROCESS_LIST_V4, PROCESS_LIST_V5, PROCESS_LIST_V6,
                                           PROCESS_LIST_V7, PROCESS_LIST_V8, PROCESS_LIST_V9};
    const auto* found = std::ranges::find(kVersions, type);
    return found != std::end(kVersions) ? static_cast<int>(found - kVersions) + 1 : 0;
}

// Returns the bytes of an entry that begins with its length, and moves `cursor` behind it.
std::span<const std::byte> sized_entry(Cursor& cursor) {
    const std::uint32_t length = cursor.number<std::uint32_t>();
    if (length < sizeof length)
        return {};
    const std::string_view bytes = cursor.bytes(length - sizeof length);
    return {reinterpret_cast<const std::byte*>(bytes.data()), bytes.size()};
}

std::string with_slash(std::string_view directory) {
    std::string text(directory);
    if (!text.empty() && text.back() != '/')
        text += '/';
    return text;
}

// Reads the members that the versions before the ninth have, in their order.
void read_base(Cursor& in, int version, Thread& thread) {
    thread.process = state::make_process();
    thread.tid = in.number<std::int64_t>();
    thread.pid = in.number<std::int64_t>();
    thread.ptid = in.number<std::int64_t>();
    if (version >= 6)
        thread.sid = in.number<std::int64_t>();
    if (version >= 8)
        thread.vpgid = in.number<std::int64_t>();
    thread.comm = Text(in.text().substr(0, kMaxPath));
    thread.exe = Text(in.text().substr(0, kMaxPath));
    if (version >= 7)
        thread.exepath = Text(in.text().substr(0, kMaxPath));
    thread.args = Text(in.text().substr(0, kMaxStrings));
    thread.process->cwd = Text(with_slash(in.text().substr(0, kMaxPath)));
    thread.fdlimit = in.number<std::int64_t>();
    thread.flags = in.number<std::uint32_t>();
    thread.uid = in.number<std::uint32_t>();
    thread.gid = in.number<std::uint32_t>();
    if (version >= 2) {
        thread.vm_size = in.number<std::uint32_t>();
        thread.vm_rss = in.number<std::uint32_t>();
        thread.vm_swap = in.number<std::uint32_t>();
        thread.pgft_maj = in.number<std::uint64_t>();
        thread.pgft_min = in.number<std::uint64_t>();
    }
    if (version >= 3)
        thread.process->env = Text(in.text().substr(0, kMaxStrings));
    if (version >= 4) {
        thread.vtid = in.number<std::int64_t>();
        thread.vpid = in.number<std::int64_t>();
        thread.cgroups = Text(in.text().substr(0, kMaxStrings));
    }
    if (version >= 5)
        thread.root = Text(in.text().substr(0, kMaxPath));
}

// Reads the numbers that were added later. Each is present if the entry is long enough. The first
// two were inserted last: a short entry does not have them.
void read_additions(Cursor& in, Thread& thread) {
    constexpr std::size_t kWithoutInsertions = 4 + 1 + 3 * 8;
    const auto next = [&in](auto& out) {
        using T = std::remove_reference_t<decltype(out)>;
        if (in.left() >= sizeof(T))
            out = in.number<T>();
    };
    if (in.left() > kWithoutInsertions) {
        next(thread.pidns_start_ts);
        next(thread.tty);
    }
    next(thread.loginuid);
    std::uint8_t flag = 0;
    const auto next_flag = [&](Thread::ExeFlags bit) {
        flag = 0;
        next(flag);
        if (flag != 0)
            thread.exe_flags = static_cast<std::uint8_t>(thread.exe_flags | bit);
    };
    next_flag(Thread::exe_writable);
    next(thread.cap_inheritable);
    next(thread.cap_permitted);
    next(thread.cap_effective);
    next_flag(Thread::exe_upper_layer);
    next(thread.exe_ino);
    next(thread.exe_ctime);
    next(thread.exe_mtime);
    next_flag(Thread::exe_from_memfd);
    next_flag(Thread::exe_lower_layer);
    next(thread.pgid);
}

// Whether the socket has an address or port. One that was only created has none, and no name.
bool is_bound(const state::SocketEnds& ends) {
    const state::Address none{};
    return ends.source != none || ends.dest != none || ends.source_port != 0 || ends.dest_port != 0;
}

// Reads the addresses and ports of a socket. Their order differs from that in events.
void read_socket(Cursor& in, Fd& fd) {
    const std::size_t size = fd.is_ipv6() ? 16 : 4;
    const auto ip = [&](state::Address& out) {
        const std::string_view bytes = in.bytes(size);
        std::ranges::copy(bytes, out.begin());
    };
    state::SocketEnds ends;
    if (fd.is_connection()) {
        ip(ends.source);
        ip(ends.dest);
        ends.source_port = in.number<std::uint16_t>();
        ends.dest_port = in.number<std::uint16_t>();
    } else {
        ip(ends.dest);
        ends.dest_port = in.number<std::uint16_t>();
        fd.set(Fd::server);
    }
    fd.l4 = static_cast<state::L4>(in.number<std::uint8_t>());
    if (fd.kind == FdKind::ipv6 && state::is_mapped_ipv4(ends.source) &&
        state::is_mapped_ipv4(ends.dest)) {
        fd.kind = FdKind::ipv4;
        ends.source = state::unmap_ipv4(ends.source);
        ends.dest = state::unmap_ipv4(ends.dest);
    }
    if (!is_bound(ends))
        return;
    fd.ends.edit() = ends;
    fd.name = Text(state::socket_name(fd));
}

// Reads the members that depend on the kind of fd. `more`: the entry has a length, so the bytes
// left over are members that were added later.
void read_fd_info(Cursor& in, Fd& fd, bool more) {
    switch (fd.kind) {
    case FdKind::ipv4:
    case FdKind::ipv6:
    case FdKind::ipv4_server:
    case FdKind::ipv6_server: read_socket(in, fd); break;
    case FdKind::unix_socket:
        fd.ends.edit().unix_source = in.number<std::uint64_t>();
        fd.ends.edit().unix_dest = in.number<std::uint64_t>();
        fd.name = Text(in.text().substr(0, kMaxFdName));
        break;
    case FdKind::file_with_flags:
        fd.kind = FdKind::file;
        fd.open_flags = in.number<std::uint32_t>();
        fd.set(Fd::cloexec, (fd.open_flags & event::flags::file_flags::kO_CLOEXEC) != 0);
        fd.name = Text(in.text().substr(0, kMaxFdName));
        fd.set(Fd::whole_path);
        if (more && in.left() >= sizeof fd.dev)
            fd.dev = in.number<std::uint32_t>();
        break;
    case FdKind::unknown: break;
    default:
        if (fd.kind > FdKind::pidfd)
            fd.kind = FdKind::unsupported; // a kind of a later version, whose entries have lengths
        else
            fd.name = Text(in.text().substr(0, kMaxFdName));
        // Our writer appends the true kind if older readers do not know it.
        if (fd.kind == FdKind::unsupported && more && in.left() > 0) {
            const auto kind = in.number<FdKind>();
            if (kind > FdKind::file_with_flags && kind <= FdKind::pidfd)
                fd.kind = kind;
        }
    }
}

} // namespace

bool read_machine_info(std::span<const std::byte> block, MachineInfo& machine) {
    Cursor in(block);
    machine.cpus = in.number<std::uint32_t>();
    machine.memory_bytes = in.number<std::uint64_t>();
    machine.max_pid = in.number<std::uint64_t>();
    const std::string_view name = in.bytes(sizeof machine.hostname - 1);
    std::ranges::copy(name, machine.hostname);
    machine.boot_ns = in.number<std::uint64_t>();
    return in.good();
}

bool read_process_list(std::uint32_t type, std::span<const std::byte> block,
                       state::StateTracker& state) {
    const int version = version_of(type);
    Cursor list(block);
    // Up to three bytes of padding are left at the end.
    while (list.left() >= 4) {
        Thread thread;
        if (version >= 9) {
            Cursor entry(sized_entry(list));
            read_base(entry, version, thread);
            if (!entry.good() || !list.good())
                return false;
            read_additions(entry, thread);
        } else {
            read_base(list, version, thread);
            if (!list.good())
                return false;
        }
        state.add(std::move(thread));
    }
    return true;
}

bool read_fd_list(std::uint32_t type, std::span<const std::byte> block,
                  state::StateTracker& state) {
    Cursor list(block);
    const std::int64_t tid = list.number<std::int64_t>();
    if (list.good() && state.find(tid) == nullptr)
        state.add_placeholder(tid);
    while (list.left() >= 4) {
        const bool sized = type == FD_LIST_V2;
        Cursor entry(sized ? sized_entry(list) : std::span<const std::byte>());
        Cursor& in = sized ? entry : list;
        const std::int64_t number = in.number<std::int64_t>();
        Fd fd;
        fd.ino = in.number<std::uint64_t>();
        fd.kind = static_cast<FdKind>(in.number<std::uint8_t>());
        read_fd_info(in, fd, sized);
        if (!in.good() || !list.good())
            return false;
        state.add_fd(tid, number, std::move(fd));
    }
    return list.good();
}

bool read_user_list(std::uint32_t type, std::span<const std::byte> block,
                    state::StateTracker& state) {
    constexpr std::uint8_t kUser = 0; // 1: a group
    Cursor list(block);
    while (list.left() >= 4) {
        const bool sized = type == USER_LIST_V2;
        Cursor entry(sized ? sized_entry(list) : std::span<const std::byte>());
        Cursor& in = sized ? entry : list;
        if (in.number<std::uint8_t>() == kUser) {
            state::User user;
            user.uid = in.number<std::uint32_t>();
            user.gid = in.number<std::uint32_t>();
            user.name = in.text();
            user.home = in.text();
            user.shell = in.text();
            if (in.good())
                state.users().add(std::move(user));
        } else {
            const std::uint32_t gid = in.number<std::uint32_t>();
            const std::string_view name = in.text();
            if (in.good())
                state.users().add_group(gid, name);
        }
        if (!in.good() || !list.good())
            return false;
    }
    return true;
}

bool read_interface_list(std::uint32_t type, std::span<const std::byte> block,
                         std::vector<Interface>& interfaces) {
    enum : std::uint16_t { IPV4 = 1, IPV6 = 2, IPV4_NO_SPEED = 3, IPV6_NO_SPEED = 4 };
    Cursor list(block);
    while (list.left() >= 4) {
        // The length of these entries, unlike that of the others, does not count itself.
        const bool sized = type == INTERFACE_LIST_V2;
        const std::string_view bytes = sized ? list.bytes(list.number<std::uint32_t>()) : "";
        Cursor entry(std::as_bytes(std::span(bytes)));
        Cursor& in = sized ? entry : list;
        Interface made;
        const auto kind = in.number<std::uint16_t>();
        const auto name_size = in.number<std::uint16_t>();
        made.ipv6 = kind == IPV6 || kind == IPV6_NO_SPEED;
        for (state::Address* address : {&made.address, &made.netmask, &made.broadcast})
            std::ranges::copy(in.bytes(made.ipv6 ? 16 : 4), address->begin());
        if (kind == IPV4 || kind == IPV6)
            in.number<std::uint64_t>(); // link speed
        made.name = in.bytes(name_size);
        if (!in.good() || !list.good() || kind < IPV4 || kind > IPV6_NO_SPEED)
            return false;
        interfaces.push_back(std::move(made));
    }
    return true;
}

} // namespace tiercel::capture
