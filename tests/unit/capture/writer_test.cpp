// SPDX-License-Identifier: Apache-2.0
//
// What is written is what is read: events byte for byte, and all of the state that the format
// carries.
#include "analyzer/capture/writer.h"

#include <algorithm>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include "analyzer/capture/reader.h"
#include "analyzer/state/socket.h"
#include "tests/unit/capture/capture_builder.h"
#include "tests/unit/capture/state_text.h"

using namespace tiercel;
using namespace std::literals;
using state::Fd;
using state::FdKind;
using state::Thread;
using test::EventBuilder;

namespace {

state::Address address(std::initializer_list<std::uint8_t> bytes) {
    state::Address made{};
    std::copy(bytes.begin(), bytes.end(), made.begin());
    return made;
}

Thread thread(std::int64_t tid, std::int64_t pid) {
    Thread made;
    made.tid = tid;
    made.pid = pid;
    made.ptid = 1;
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

Fd fd(FdKind kind, std::string_view name) {
    Fd made;
    made.kind = kind;
    made.name = name;
    made.ino = 99;
    return made;
}

Fd connection(FdKind kind, Fd::Flags role) {
    Fd made = fd(kind, "");
    made.l4 = state::L4::tcp;
    made.source = address({10, 0, 0, 2});
    made.source_port = 5555;
    made.dest = address({127, 0, 0, 1});
    made.dest_port = 80;
    made.set(role);
    made.set(Fd::connected);
    made.name = state::Text(state::socket_name(made));
    return made;
}

void add_fds(state::Engine& engine, std::int64_t pid) {
    Fd file = fd(FdKind::file, "/etc/hosts");
    file.raw_name = file.name;
    file.open_flags = 4097; // read only, close-on-exec
    file.dev = 7;
    file.set(Fd::cloexec);
    engine.add_fd(pid, 0, std::move(file));
    Fd listening = fd(FdKind::ipv4_server, "127.0.0.1:80");
    listening.l4 = state::L4::tcp;
    listening.dest = address({127, 0, 0, 1});
    listening.dest_port = 80;
    listening.set(Fd::server);
    engine.add_fd(pid, 1, std::move(listening));
    engine.add_fd(pid, 2, connection(FdKind::ipv4, Fd::server));
    Fd client = connection(FdKind::ipv6, Fd::client);
    client.dest_port = 443;
    client.name = state::Text(state::socket_name(client));
    engine.add_fd(pid, 3, std::move(client));
    Fd local = fd(FdKind::unix_socket, "/run/x");
    local.unix_source = 1;
    local.unix_dest = 2;
    engine.add_fd(pid, 4, std::move(local));
    // All others have a name only.
    for (int kind = 1; kind <= static_cast<int>(FdKind::pidfd); ++kind) {
        Fd each = fd(static_cast<FdKind>(kind), "name");
        if (!each.is_ip() && each.kind != FdKind::file && each.kind != FdKind::unix_socket &&
            each.kind != FdKind::file_with_flags)
            engine.add_fd(pid, 10 + kind, std::move(each));
    }
}

state::Engine full_state() {
    state::Engine engine;
    engine.add(thread(1, 1));
    engine.add(thread(20, 20));
    engine.add(thread(21, 20));
    add_fds(engine, 1);
    add_fds(engine, 20);
    engine.link();
    engine.users().add({1000, 100, "user", "/home", "/bin/sh"});
    engine.users().add_group(100, "users");
    return engine;
}

capture::MachineInfo machine() {
    capture::MachineInfo made;
    made.cpus = 2;
    made.memory_bytes = 1 << 30;
    made.max_pid = 32768;
    made.boot_ns = 12345;
    std::copy_n("host", 5, made.hostname);
    made.interfaces.push_back({"eth0", true, address({0xfe, 0x80}), address({0xff}), {}});
    made.interfaces.push_back({"lo", false, address({127, 0, 0, 1}), address({255}), {}});
    return made;
}

struct Written {
    os::UniqueFd file = test::file_of("");
    capture::Writer writer;
    explicit Written(capture::Packing packing) : writer(file.get(), packing) {}
    os::UniqueFd rewound() {
        REQUIRE(writer.finish());
        lseek(file.get(), 0, SEEK_SET);
        return std::move(file);
    }
};

} // namespace

TEST_CASE("the state comes back as it was, packed or not") {
    const state::Engine engine = full_state();
    for (const auto packing : {capture::Packing::plain, capture::Packing::gzip}) {
        Written written(packing);
        REQUIRE(written.writer.begin(machine(), engine));
        EventBuilder close(event::SYSCALL_CLOSE_X);
        REQUIRE(written.writer.add(close.tid(1).i64(0).i64(9).view(), 1));
        state::Engine again;
        capture::Reader reader(written.rewound(), again);
        REQUIRE(reader.next());
        CHECK_FALSE(reader.next());
        CHECK(reader.error().empty());
        CHECK(test::text_of(again) == test::text_of(engine));
        CHECK(reader.machine().cpus == 2);
        CHECK(reader.machine().hostname == "host"sv);
        CHECK(reader.machine().boot_ns == 12345);
        REQUIRE(reader.machine().interfaces.size() == 2);
        CHECK(reader.machine().interfaces[0].name == "lo");
        CHECK(reader.machine().interfaces[0].address == address({127, 0, 0, 1}));
        CHECK(reader.machine().interfaces[1].name == "eth0");
        CHECK(reader.machine().interfaces[1].address == address({0xfe, 0x80}));
    }
}

TEST_CASE("every kind of event that drivers give comes back byte for byte") {
    for (const auto packing : {capture::Packing::plain, capture::Packing::gzip}) {
        Written written(packing);
        REQUIRE(written.writer.begin(machine(), full_state()));
        std::vector<std::vector<std::byte>> raws;
        for (const event::EventInfo& info : event::events()) {
            if (!info.emitted || info.origin != event::Origin::SYSCALL)
                continue;
            EventBuilder builder(info.code);
            builder.tid(20).ts(1000 + info.code);
            // Values of odd sizes, so that padding is of every size.
            for (std::size_t i = 0; i < info.params.size(); ++i)
                builder.bytes(std::string(info.code % 5 + i, 'x'));
            raws.push_back(builder.raw());
            REQUIRE(written.writer.add(builder.view(), info.code % 7));
        }
        REQUIRE(raws.size() > 150);
        state::Engine again;
        capture::Reader reader(written.rewound(), again);
        for (const auto& raw : raws) {
            const auto event = reader.next();
            REQUIRE(event);
            CHECK(event->cpu == event->view.code() % 7);
            CHECK(std::ranges::equal(event->view.bytes(), raw));
        }
        CHECK_FALSE(reader.next());
        CHECK(reader.error().empty());
        CHECK(reader.skipped() == 0);
    }
}

TEST_CASE("the largest event that a ring can hold") {
    Written written(capture::Packing::plain);
    REQUIRE(written.writer.begin(machine(), full_state()));
    for (const std::size_t size : {65'300u, 65'477u, 65'478u, 65'535u}) {
        EventBuilder read(event::SYSCALL_READ_X);
        REQUIRE(written.writer.add(read.i64(1).bytes(std::string(size, 'x')).view(), 0));
    }
    state::Engine again;
    capture::Reader reader(written.rewound(), again);
    for (const std::size_t size : {65'300u, 65'477u, 65'478u, 65'535u})
        CHECK(reader.next()->view.param(1).size() == size);
}

TEST_CASE("texts are cut to what others have room for") {
    state::Engine engine;
    Thread long_one = thread(1, 1);
    long_one.exepath = state::Text(std::string(5000, 'p'));
    long_one.process->env = state::Text(std::string(9000, 'e'));
    engine.add(std::move(long_one));
    engine.link();
    Written written(capture::Packing::plain);
    REQUIRE(written.writer.begin(machine(), engine));
    REQUIRE(written.writer.add(EventBuilder(event::SYSCALL_CLOSE_X).view(), 0));
    state::Engine again;
    capture::Reader reader(written.rewound(), again);
    REQUIRE(reader.next());
    CHECK(again.find(1)->exepath.view().size() == 1024);
    CHECK(again.find(1)->process->env.view().size() == 4096);
}

TEST_CASE("a serving end keeps its name when its listening socket has gone") {
    state::Engine engine;
    engine.add(thread(1, 1));
    engine.link();
    engine.add_fd(1, 3, connection(FdKind::ipv4, Fd::server));
    Written written(capture::Packing::plain);
    REQUIRE(written.writer.begin(machine(), engine));
    REQUIRE(written.writer.add(EventBuilder(event::SYSCALL_CLOSE_X).view(), 0));
    state::Engine again;
    capture::Reader reader(written.rewound(), again);
    REQUIRE(reader.next());
    CHECK(again.find(1)->fd(3)->name.view() == "10.0.0.2:5555->127.0.0.1:80");
}

TEST_CASE("long lists are split into blocks") {
    state::Engine engine;
    for (std::int64_t pid = 1; pid <= 3000; ++pid) {
        Thread each = thread(pid, pid);
        each.process->env = state::Text(std::string(1000, 'e'));
        engine.add(std::move(each));
    }
    engine.link();
    std::vector<std::byte> head;
    capture::append_head(head, machine(), engine);
    std::size_t lists = 0, largest = 0;
    for (std::size_t at = 0; at < head.size();) {
        std::uint32_t header[2];
        std::memcpy(header, head.data() + at, sizeof header);
        lists += header[0] == capture::PROCESS_LIST_V9 ? 1 : 0;
        largest = std::max<std::size_t>(largest, header[1]);
        at += header[1];
    }
    CHECK(lists > 2);
    CHECK(largest < 2 << 20);
}

TEST_CASE("a full disk is an error, once and for all") {
    const os::UniqueFd full(open("/dev/full", O_WRONLY | O_CLOEXEC));
    REQUIRE(full.valid());
    capture::Writer writer(full.get(), capture::Packing::plain);
    REQUIRE(writer.begin(machine(), full_state()));
    const auto flushed = writer.flush();
    REQUIRE_FALSE(flushed);
    CHECK(flushed.error().number == ENOSPC);
    CHECK_FALSE(writer.add(EventBuilder(event::SYSCALL_CLOSE_X).view(), 0));
}
