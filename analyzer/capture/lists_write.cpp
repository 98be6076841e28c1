// SPDX-License-Identifier: Apache-2.0
//
// Implements the writers of lists.h. libscap of 2022 (sysdig 0.29) and of today both read the
// result, because texts fit their buffers, no kind of fd is unknown to the older one, and new
// members stand at the end of entries that begin with their length.
#include <algorithm>
#include <unordered_set>

#include "analyzer/capture/lists.h"

namespace tiercel::capture {
namespace {

using state::Fd;
using state::FdKind;
using state::Thread;

constexpr std::uint16_t kMaxPath = 1024; // libscap's SCAP_MAX_PATH_SIZE, and so on
constexpr std::uint16_t kMaxStrings = 4096;
constexpr std::uint16_t kMaxName = 255;
constexpr std::uint16_t kMinorVersion = 2;
constexpr std::uint64_t kNoSectionLength = UINT64_MAX;
// A list is split into blocks of about this size. Readers accept several blocks.
constexpr std::size_t kBlockSize = 1 << 20;

constexpr std::uint16_t kInterfaceIpv4 = 1, kInterfaceIpv6 = 2;
constexpr std::uint8_t kUser = 0, kGroup = 1;

void write_thread(BlockWriter& out, const Thread& thread) {
    out.number(thread.tid);
    out.number(thread.pid);
    out.number(thread.ptid);
    out.number(thread.sid);
    out.number(thread.vpgid);
    out.text(thread.comm, kMaxPath);
    out.text(thread.exe, kMaxPath);
    out.text(thread.exepath, kMaxPath);
    out.text(thread.args, kMaxStrings);
    out.text(thread.process->cwd, kMaxPath);
    out.number(thread.fdlimit);
    out.number(thread.flags);
    out.number(thread.uid);
    out.number(thread.gid);
    out.number(thread.vm_size);
    out.number(thread.vm_rss);
    out.number(thread.vm_swap);
    out.number(thread.pgft_maj);
    out.number(thread.pgft_min);
    out.text(thread.process->env, kMaxStrings);
    out.number(thread.vtid);
    out.number(thread.vpid);
    out.text(thread.cgroups, kMaxStrings);
    out.text(thread.root, kMaxPath);
    out.number(thread.pidns_start_ts);
    out.number(thread.tty);
    out.number(thread.loginuid);
    const auto flag = [&](Thread::ExeFlags bit) { out.number(std::uint8_t{thread.has(bit)}); };
    flag(Thread::exe_writable);
    out.number(thread.cap_inheritable);
    out.number(thread.cap_permitted);
    out.number(thread.cap_effective);
    flag(Thread::exe_upper_layer);
    out.number(thread.exe_ino);
    out.number(thread.exe_ctime);
    out.number(thread.exe_mtime);
    flag(Thread::exe_from_memfd);
    flag(Thread::exe_lower_layer);
    out.number(thread.pgid);
}

using Ports = std::unordered_set<std::uint16_t>;

// The ports of listening sockets. Readers conclude from them which end of a connection is the
// server.
Ports listening_ports(const state::StateTracker& state) {
    Ports ports;
    state.for_each_thread([&](const Thread& thread) {
        thread.process->fds->for_each([&](std::int64_t, const Fd& fd) {
            if (fd.kind == FdKind::ipv4_server || fd.kind == FdKind::ipv6_server)
                ports.insert(fd.ends->dest_port);
        });
    });
    return ports;
}

// The local end comes first. A reader takes a local end for the client's if no socket listens on
// its port any more; in that case the client's end is written first, so that the pair is shown
// right.
void write_socket(BlockWriter& out, const Fd& fd, const Ports& listening) {
    const std::size_t size = fd.is_ipv6() ? 16 : 4;
    const auto ip = [&](const state::Address& address) {
        out.bytes({reinterpret_cast<const char*>(address.data()), size});
    };
    if (fd.is_connection()) {
        const bool turned = fd.is(Fd::server) && listening.contains(fd.ends->dest_port);
        ip(turned ? fd.ends->dest : fd.ends->source);
        ip(turned ? fd.ends->source : fd.ends->dest);
        out.number(turned ? fd.ends->dest_port : fd.ends->source_port);
        out.number(turned ? fd.ends->source_port : fd.ends->dest_port);
    } else {
        ip(fd.ends->dest);
        out.number(fd.ends->dest_port);
    }
    out.number(fd.l4);
}

// The kind that is written for `kind`: one that the reader of 2022 knows.
FdKind written_kind(FdKind kind) {
    if (kind == FdKind::file)
        return FdKind::file_with_flags;
    return kind > FdKind::file_with_flags ? FdKind::unsupported : kind;
}

void write_fd(BlockWriter& out, std::int64_t number, const Fd& fd, const Ports& listening) {
    const FdKind kind = written_kind(fd.kind);
    out.begin_entry();
    out.number(number);
    out.number(fd.ino);
    out.number(kind);
    switch (kind) {
    case FdKind::ipv4:
    case FdKind::ipv6:
    case FdKind::ipv4_server:
    case FdKind::ipv6_server: write_socket(out, fd, listening); break;
    case FdKind::unix_socket:
        out.number(fd.ends->unix_source);
        out.number(fd.ends->unix_dest);
        out.text(fd.name, kMaxPath);
        break;
    case FdKind::file_with_flags:
        out.number(fd.open_flags);
        out.text(fd.name, kMaxPath);
        out.number(fd.dev);
        break;
    default:
        out.text(fd.name, kMaxPath);
        if (kind != fd.kind)
            out.number(fd.kind); // the true kind, which older readers ignore
    }
    out.end_entry();
}

void write_fds_of(BlockWriter& out, const Thread& thread, const Ports& listening) {
    if (thread.process->fds->size() == 0)
        return;
    const auto begin = [&] {
        out.begin(FD_LIST_V2);
        out.number(thread.tid);
    };
    begin();
    thread.process->fds->for_each([&](std::int64_t number, const Fd& fd) {
        if (fd.kind == FdKind::unknown)
            return; // the reader of 2022 refuses this kind
        if (out.content_size() > kBlockSize) {
            out.end();
            begin();
        }
        write_fd(out, number, fd, listening);
    });
    out.end();
}

} // namespace

void write_section_header(BlockWriter& out) {
    out.begin(SECTION_HEADER);
    out.number(kByteOrderMagic);
    out.number(kMajorVersion);
    out.number(kMinorVersion);
    out.number(kNoSectionLength);
    out.end();
}

void write_machine_info(BlockWriter& out, const MachineInfo& machine) {
    out.begin(MACHINE_INFO);
    out.number(machine.cpus);
    out.number(machine.memory_bytes);
    out.number(machine.max_pid);
    out.bytes({machine.hostname, sizeof machine.hostname - 1});
    out.number(machine.boot_ns);
    for (int reserved = 0; reserved < 3; ++reserved)
        out.number(std::uint64_t{0});
    out.end();
}

void write_interface_list(BlockWriter& out, const std::vector<Interface>& interfaces) {
    if (interfaces.empty())
        return;
    out.begin(INTERFACE_LIST_V2);
    for (const bool ipv6 : {false, true}) { // IPv4 first, because readers fill two arrays
        for (const Interface& each : interfaces) {
            if (each.ipv6 != ipv6)
                continue;
            const std::string_view name = std::string_view(each.name).substr(0, kMaxName);
            const std::size_t size = ipv6 ? 16 : 4;
            // This length does not include itself, unlike those of the other lists.
            out.number(static_cast<std::uint32_t>(2 + 2 + 3 * size + 8 + name.size()));
            out.number(ipv6 ? kInterfaceIpv6 : kInterfaceIpv4);
            out.number(static_cast<std::uint16_t>(name.size()));
            for (const auto* address : {&each.address, &each.netmask, &each.broadcast})
                out.bytes({reinterpret_cast<const char*>(address->data()), size});
            out.number(std::uint64_t{0}); // link speed
            out.bytes(name);
        }
    }
    out.end();
}

void write_user_list(BlockWriter& out, const state::Users& users) {
    if (users.users().empty() && users.groups().empty())
        return;
    out.begin(USER_LIST_V2);
    for (const auto& [uid, user] : users.users()) {
        out.begin_entry();
        out.number(kUser);
        out.number(uid);
        out.number(user.gid);
        for (const std::string* text : {&user.name, &user.home, &user.shell})
            out.text(*text, kMaxName);
        out.end_entry();
    }
    for (const auto& [gid, group] : users.groups()) {
        out.begin_entry();
        out.number(kGroup);
        out.number(gid);
        out.text(group.name, kMaxName);
        out.end_entry();
    }
    out.end();
}

void write_process_list(BlockWriter& out, const state::StateTracker& state) {
    bool open = false;
    state.for_each_thread([&](const Thread& thread) {
        if (thread.is_placeholder())
            return;
        if (open && out.content_size() > kBlockSize) {
            out.end();
            open = false;
        }
        if (!open)
            out.begin(PROCESS_LIST_V9);
        open = true;
        out.begin_entry();
        write_thread(out, thread);
        out.end_entry();
    });
    if (open)
        out.end();
}

// Writes the fds of each process under its leader's id, or a thread's if the leader is not known.
// A thread that no event described is in no process list; libscap ignores its fds.
void write_fd_lists(BlockWriter& out, const state::StateTracker& state) {
    const Ports listening = listening_ports(state);
    std::unordered_set<const state::Process*> written;
    for (const bool leaders : {true, false})
        state.for_each_thread([&](const Thread& thread) {
            if (thread.is_leader() == leaders && written.insert(thread.process.get()).second)
                write_fds_of(out, thread, listening);
        });
}

} // namespace tiercel::capture
