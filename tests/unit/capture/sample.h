// SPDX-License-Identifier: Apache-2.0
//
// Sample: a small machine with three threads, and one event of each kind that drivers give, with
// values of the right types. For tests that want a whole capture, and as seeds for the fuzz
// targets.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "analyzer/capture/writer.h"
#include "analyzer/state/socket.h"
#include "tests/unit/state/event_builder.h"

namespace tiercel::test {

// A value of the parameter's type, as a driver could give it.
inline std::string sample_value(const event::ParamInfo& param) {
    using namespace std::literals;
    using event::ParamType;
    const auto number = [](std::size_t width, char low) {
        std::string out(width, '\0');
        out[0] = low;
        return out;
    };
    switch (param.type) {
    case ParamType::FD: return number(8, 3);
    case ParamType::PID: return number(8, 20);
    case ParamType::ERRNO: return number(8, 0);
    case ParamType::CHARBUF: return "text\0"s;
    case ParamType::FSPATH: return "/etc/hosts\0"s;
    case ParamType::FSRELPATH: return "hosts\0"s;
    case ParamType::CHARBUFARRAY: return "A=1\0B=2\0"s;
    case ParamType::BYTEBUF: return "data"s;
    case ParamType::SOCKADDR: return "\x02\x7f\0\0\x01\x50\0"s;
    case ParamType::SOCKTUPLE: return "\x02\x0a\0\0\x02\xb3\x15\x7f\0\0\x01\x50\0"s;
    case ParamType::FDLIST: return "\x01\0\x03\0\0\0\0\0\0\0\x01\0"s;
    case ParamType::DYN:
        for (std::uint8_t kind = 0; kind < UINT8_MAX; ++kind)
            if (const auto type = event::dynamic_type(param.dynamic, kind))
                return std::string(1, static_cast<char>(kind)) +
                       sample_value({.name = param.name, .type = *type});
        return {};
    default: return number(event::width(param.type), 1);
    }
}

inline EventBuilder sample_event(const event::EventInfo& info, std::uint64_t ts) {
    EventBuilder builder(info.code);
    builder.tid(20).ts(ts);
    for (const event::ParamInfo& param : info.params)
        builder.bytes(sample_value(param));
    return builder;
}

// The kinds that a ring holds: not what iterators give at the start.
inline std::vector<const event::EventInfo*> ring_events() {
    std::vector<const event::EventInfo*> kinds;
    for (const event::EventInfo& info : event::events())
        if (info.emitted && info.origin != event::Origin::ITER)
            kinds.push_back(&info);
    return kinds;
}

inline state::Address sample_address(std::initializer_list<std::uint8_t> bytes) {
    state::Address made{};
    std::copy(bytes.begin(), bytes.end(), made.begin());
    return made;
}

inline state::Thread sample_thread(std::int64_t tid, std::int64_t pid) {
    using namespace std::literals;
    using state::Thread;
    Thread made;
    made.tid = tid;
    made.pid = pid;
    made.ptid = pid == 1 ? 0 : 1;
    made.vtid = tid + 1000;
    made.vpid = pid + 1000;
    made.sid = 5;
    made.pgid = 6;
    made.vpgid = 7;
    made.flags = tid == pid ? 0 : Thread::is_thread | Thread::shares_files;
    made.exe_flags = Thread::exe_writable | Thread::exe_from_memfd | Thread::exe_lower_layer;
    made.uid = 1000;
    made.gid = 100;
    made.loginuid = 501;
    made.tty = 34816;
    made.vm_size = 1;
    made.vm_rss = 2;
    made.vm_swap = 3;
    made.pgft_maj = 4;
    made.pgft_min = 5;
    made.fdlimit = 1024;
    made.cap_inheritable = 1;
    made.cap_permitted = 2;
    made.cap_effective = 3;
    made.exe_ino = 4;
    made.exe_ctime = 5;
    made.exe_mtime = 6;
    made.pidns_start_ts = 7;
    made.comm = "comm"sv;
    made.exe = "./exe"sv;
    made.exepath = "/bin/exe"sv;
    made.args = "-a\0-b\0"sv;
    made.cgroups = "cpu=/x\0"sv;
    made.root = "/"sv;
    made.process = std::make_shared<state::Process>();
    made.process->cwd = "/home/"sv;
    made.process->env = "A=1\0B=2\0"sv;
    return made;
}

inline state::Fd sample_fd(state::FdKind kind, std::string_view name) {
    state::Fd made;
    made.kind = kind;
    made.name = name;
    made.ino = 99;
    return made;
}

inline state::Fd sample_connection(state::FdKind kind, state::Fd::Flags role) {
    state::Fd made = sample_fd(kind, "");
    made.l4 = state::L4::tcp;
    state::SocketEnds& ends = made.ends.edit();
    ends.source = sample_address({10, 0, 0, 2});
    ends.source_port = 5555;
    ends.dest = sample_address({127, 0, 0, 1});
    ends.dest_port = 80;
    made.set(role);
    made.set(state::Fd::connected);
    made.name = state::Text(state::socket_name(made));
    return made;
}

// One fd of each kind.
inline void add_sample_fds(state::StateTracker& engine, std::int64_t pid) {
    using state::Fd;
    using state::FdKind;
    Fd file = sample_fd(FdKind::file, "/etc/hosts");
    file.set(state::Fd::whole_path);
    file.open_flags = 4097; // read only, close-on-exec
    file.dev = 7;
    file.set(Fd::cloexec);
    engine.add_fd(pid, 0, std::move(file));
    Fd listening = sample_fd(FdKind::ipv4_server, "127.0.0.1:80");
    listening.l4 = state::L4::tcp;
    listening.ends.edit().dest = sample_address({127, 0, 0, 1});
    listening.ends.edit().dest_port = 80;
    listening.set(Fd::server);
    engine.add_fd(pid, 1, std::move(listening));
    engine.add_fd(pid, 2, sample_connection(FdKind::ipv4, Fd::server));
    Fd client = sample_connection(FdKind::ipv6, Fd::client);
    client.ends.edit().dest_port = 443;
    client.name = state::Text(state::socket_name(client));
    engine.add_fd(pid, 3, std::move(client));
    Fd local = sample_fd(FdKind::unix_socket, "/run/x");
    local.ends.edit().unix_source = 1;
    local.ends.edit().unix_dest = 2;
    engine.add_fd(pid, 4, std::move(local));
    // All others have a name only.
    for (int kind = 1; kind <= static_cast<int>(FdKind::pidfd); ++kind) {
        Fd each = sample_fd(static_cast<FdKind>(kind), "name");
        if (!each.is_ip() && each.kind != FdKind::file && each.kind != FdKind::unix_socket &&
            each.kind != FdKind::file_with_flags)
            engine.add_fd(pid, 10 + kind, std::move(each));
    }
}

inline void fill_sample_state(state::StateTracker& engine) {
    engine.add(sample_thread(1, 1));
    engine.add(sample_thread(20, 20));
    engine.add(sample_thread(21, 20));
    add_sample_fds(engine, 1);
    add_sample_fds(engine, 20);
    engine.link();
    engine.users().add({1000, 100, "user", "/home", "/bin/sh"});
    engine.users().add_group(100, "users");
}

inline capture::MachineInfo sample_machine() {
    capture::MachineInfo made;
    made.cpus = 2;
    made.memory_bytes = 1 << 30;
    made.max_pid = 32768;
    made.boot_ns = 12345;
    std::copy_n("host", 5, made.hostname);
    made.interfaces.push_back(
        {"eth0", true, sample_address({0xfe, 0x80}), sample_address({0xff}), {}});
    made.interfaces.push_back(
        {"lo", false, sample_address({127, 0, 0, 1}), sample_address({255}), {}});
    return made;
}

} // namespace tiercel::test
