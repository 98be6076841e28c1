// SPDX-License-Identifier: Apache-2.0
//
// What events do to fds and sockets.
#include <doctest/doctest.h>

#include <random>
#include <unordered_map>

#include "analyzer/state/path.h"
#include "analyzer/state/socket.h"
#include "analyzer/state/state_tracker.h"
#include "tests/unit/state/event_builder.h"

using namespace tiercel;
using namespace std::literals;
using state::FdKind;
using test::EventBuilder;

namespace {

struct Run {
    state::StateTracker engine;
    EventBuilder kept{event::SYSCALL_CLOSE_X};
    const state::Current& operator()(EventBuilder& event) {
        kept = std::move(event);
        return engine.apply(kept.tid(7).view(), 0);
    }
    const state::Fd* fd(std::int64_t number) { return engine.find(7)->fd(number); }
};

std::string tuple4(std::uint8_t a, std::uint16_t a_port, std::uint8_t b, std::uint16_t b_port) {
    std::string bytes{2, 10, 0, 0, static_cast<char>(a)};
    bytes.append(reinterpret_cast<const char*>(&a_port), 2);
    bytes += {10, 0, 0, static_cast<char>(b)};
    bytes.append(reinterpret_cast<const char*>(&b_port), 2);
    return bytes;
}
std::string address4(std::uint8_t a, std::uint16_t port) {
    std::string bytes{2, 10, 0, 0, static_cast<char>(a)};
    bytes.append(reinterpret_cast<const char*>(&port), 2);
    return bytes;
}

EventBuilder make(std::uint16_t code) {
    return EventBuilder(code);
}

} // namespace

TEST_CASE("a closed fd is seen by its close, not by the next event") {
    Run run;
    run(make(event::SYSCALL_OPEN_X).i64(3).text("/a").u32(1));
    const auto& now = run(make(event::SYSCALL_CLOSE_X).i64(0).i64(3));
    REQUIRE(now.fd != nullptr);
    CHECK(now.fd->name.view() == "/a");
    run(make(event::SYSCALL_CLOSE_X).i64(-9).i64(3));
    CHECK(run.fd(3) == nullptr);
}

TEST_CASE("a failed open makes no fd") {
    Run run;
    const auto& now = run(make(event::SYSCALL_OPENAT_2_X).i64(-2).i64(-100).text("x").u32(1));
    CHECK(now.fd == nullptr);
    CHECK(now.fd_num == state::Current::kNoFd);
}

TEST_CASE("openat relative to a directory fd") {
    Run run;
    run(make(event::SYSCALL_OPEN_X).i64(3).text("/var/log").u32(1 | 1u << 10));
    CHECK(run.fd(3)->kind == FdKind::directory);
    run(make(event::SYSCALL_OPENAT_2_X).i64(4).i64(3).text("../lib/x").u32(1).u32(0).u32(5).u64(6));
    CHECK(run.fd(4)->name.view() == "/var/lib/x");
    CHECK(run.fd(4)->raw_name() == "../lib/x");
    CHECK(run.fd(4)->ino == 6);
}

TEST_CASE("copies of fds and their close-on-exec flags") {
    constexpr std::uint32_t kCloexec = 1u << 12;
    Run run;
    run(make(event::SYSCALL_OPEN_X).i64(3).text("/a").u32(1 | kCloexec));
    run(make(event::SYSCALL_DUP_1_X).i64(4).i64(3));
    CHECK(run.fd(4)->name.view() == "/a");
    CHECK_FALSE(run.fd(4)->is(state::Fd::cloexec));
    run(make(event::SYSCALL_DUP3_X).i64(5).i64(4).i64(5).u32(kCloexec));
    CHECK(run.fd(5)->is(state::Fd::cloexec));
    run(make(event::SYSCALL_FCNTL_X).i64(6).i64(3).u8(26).u64(0)); // F_DUPFD_CLOEXEC
    CHECK(run.fd(6)->is(state::Fd::cloexec));
    run(make(event::SYSCALL_FCNTL_X).i64(0).i64(6).u8(3).u64(0)); // F_SETFD
    CHECK_FALSE(run.fd(6)->is(state::Fd::cloexec));
    const auto& now = run(make(event::SYSCALL_DUP2_X).i64(9).i64(3).i64(9));
    CHECK(now.fd_num == 9);
    run(make(event::SYSCALL_DUP2_X).i64(3).i64(42).i64(3)); // of an unknown fd
    CHECK(run.fd(3) == nullptr);
}

TEST_CASE("close_range closes or marks") {
    Run run;
    for (std::int64_t fd = 3; fd < 8; ++fd)
        run(make(event::SYSCALL_OPEN_X).i64(fd).text("/a").u32(1));
    run(make(event::SYSCALL_CLOSE_RANGE_X).i64(0).u32(6).u32(UINT32_MAX).u32(4));
    CHECK(run.fd(7)->is(state::Fd::cloexec));
    run(make(event::SYSCALL_CLOSE_RANGE_X).i64(0).u32(4).u32(5).u32(0));
    CHECK(run.fd(4) != nullptr);
    run(make(event::SYSCALL_CLOSE_X).i64(-9).i64(99));
    CHECK(run.fd(4) == nullptr);
    CHECK(run.fd(6) != nullptr);
}

TEST_CASE("every kind of anonymous fd") {
    struct Row {
        std::uint16_t code;
        FdKind kind;
    };
    for (const Row row : {Row{event::SYSCALL_EVENTFD_X, FdKind::event},
                          Row{event::SYSCALL_EVENTFD2_X, FdKind::event},
                          Row{event::SYSCALL_SIGNALFD_X, FdKind::signalfd},
                          Row{event::SYSCALL_SIGNALFD4_X, FdKind::signalfd},
                          Row{event::SYSCALL_TIMERFD_CREATE_X, FdKind::timerfd},
                          Row{event::SYSCALL_INOTIFY_INIT_X, FdKind::inotify},
                          Row{event::SYSCALL_INOTIFY_INIT1_X, FdKind::inotify},
                          Row{event::SYSCALL_EPOLL_CREATE_X, FdKind::eventpoll},
                          Row{event::SYSCALL_EPOLL_CREATE1_X, FdKind::eventpoll},
                          Row{event::SYSCALL_USERFAULTFD_X, FdKind::userfaultfd},
                          Row{event::SYSCALL_IO_URING_SETUP_X, FdKind::io_uring},
                          Row{event::SYSCALL_MEMFD_CREATE_X, FdKind::memfd},
                          Row{event::SYSCALL_PIDFD_OPEN_X, FdKind::pidfd}}) {
        Run run;
        CAPTURE(row.code);
        const auto& now = run(make(row.code).i64(5));
        REQUIRE(now.fd != nullptr);
        CHECK(now.fd->kind == row.kind);
        CHECK(now.fd_num == 5);
    }
}

TEST_CASE("pipes and socket pairs make two fds") {
    Run run;
    const auto& now = run(make(event::SYSCALL_PIPE2_X).i64(0).i64(3).i64(4).u64(77).u32(1u << 12));
    CHECK(now.fd_num == 4);
    CHECK(run.fd(3)->ino == 77);
    CHECK(run.fd(3)->is(state::Fd::cloexec));
    run(make(event::SOCKET_SOCKETPAIR_X).i64(0).i64(5).i64(6).u64(1).u64(2).u32(1).u32(1).u32(0));
    CHECK(run.fd(5)->kind == FdKind::unix_socket);
    CHECK(run.fd(6)->ends->unix_source == 2);
}

TEST_CASE("a client's connection") {
    Run run;
    run(make(event::SOCKET_SOCKET_X).i64(3).u32(2).u32(1).u32(6).u32(0));
    CHECK(run.fd(3)->shown_l4() == state::L4::none); // the serving side is not known yet
    run(make(event::SOCKET_CONNECT_X)
            .i64(-115)
            .bytes(tuple4(1, 40000, 2, 443))
            .i64(3)
            .bytes(address4(2, 443)));
    CHECK(run.fd(3)->name.view() == "10.0.0.1:40000->10.0.0.2:443");
    CHECK(run.fd(3)->is(state::Fd::client));
    CHECK(run.fd(3)->is(state::Fd::pending));
    CHECK(run.fd(3)->shown_l4() == state::L4::tcp);
    run(make(event::SOCKET_CONNECT_X).i64(-111).bytes(tuple4(1, 40001, 3, 80)).i64(3).none());
    CHECK(run.fd(3)->is(state::Fd::failed));
    CHECK(run.fd(3)->name.view() == "10.0.0.1:40000->10.0.0.2:443");
}

TEST_CASE("a server's socket and what it accepts") {
    Run run;
    run(make(event::SOCKET_SOCKET_X).i64(3).u32(2).u32(1).u32(0).u32(0));
    run(make(event::SOCKET_BIND_X).i64(0).bytes(address4(1, 80)).i64(3));
    CHECK(run.fd(3)->kind == FdKind::ipv4_server);
    CHECK(run.fd(3)->name.view() == "10.0.0.1:80");
    CHECK(run.fd(3)->ends->dest_port == 80);
    run(make(event::SOCKET_ACCEPT4_6_X)
            .i64(4)
            .bytes(tuple4(9, 5000, 1, 80))
            .u8(0)
            .u32(0)
            .u32(5)
            .i32(0));
    CHECK(run.fd(4)->name.view() == "10.0.0.9:5000->10.0.0.1:80");
    CHECK(run.fd(4)->is(state::Fd::server));
}

TEST_CASE("a datagram socket is named by its traffic, the client always first") {
    Run run;
    run(make(event::SOCKET_SOCKET_X).i64(3).u32(2).u32(2).u32(0).u32(0));
    run(make(event::SOCKET_SENDTO_X)
            .i64(5)
            .bytes("hello")
            .i64(3)
            .u32(5)
            .bytes(tuple4(1, 40000, 2, 53)));
    CHECK(run.fd(3)->name.view() == "10.0.0.1:40000->10.0.0.2:53");
    CHECK(run.fd(3)->is(state::Fd::client));
    const auto& now = run(make(event::SOCKET_RECVFROM_X)
                              .i64(5)
                              .bytes("hello")
                              .bytes(tuple4(2, 53, 1, 40000))
                              .i64(3)
                              .u32(5));
    CHECK_FALSE(now.fd_name_changed);
    CHECK(run.fd(3)->name.view() == "10.0.0.1:40000->10.0.0.2:53");
}

TEST_CASE("the enter event's address wins over what the process wrote since") {
    Run run;
    run(make(event::SOCKET_SOCKET_X).i64(3).u32(2).u32(1).u32(6).u32(0));
    run(make(event::SOCKET_CONNECT_E).i64(3).bytes(address4(66, 443)));
    run(make(event::SOCKET_CONNECT_X)
            .i64(0)
            .bytes(tuple4(1, 40000, 2, 443))
            .i64(3)
            .bytes(address4(2, 443)));
    CHECK(run.fd(3)->name.view() == "10.0.0.1:40000->10.0.0.66:443");
    run(make(event::SOCKET_CONNECT_X)
            .i64(0)
            .bytes(tuple4(1, 40000, 2, 443))
            .i64(3)
            .bytes(address4(2, 443)));
    CHECK(run.fd(3)->name.view() == "10.0.0.1:40000->10.0.0.2:443"); // it answers one event only
}

TEST_CASE("damaged addresses are ignored") {
    Run run;
    run(make(event::SOCKET_SOCKET_X).i64(3).u32(2).u32(1).u32(6).u32(0));
    for (const std::string_view bad :
         {"\x02"sv, "\x02\x0a"sv, "\x0a\x00\x00"sv, "\x01\x00"sv, "\xff"sv})
        run(make(event::SOCKET_CONNECT_X).i64(0).bytes(bad).i64(3).bytes(bad));
    CHECK(run.fd(3)->kind == FdKind::ipv4);
    CHECK(run.fd(3)->name.empty());
}

TEST_CASE("paths are joined as text") {
    using state::join_path;
    CHECK(join_path("/home/me/", "x") == "/home/me/x");
    CHECK(join_path("/home/me/", "../../../..") == "/");
    CHECK(join_path("/home/me/", "/etc//./passwd") == "/etc/passwd");
    CHECK(join_path("/", "") == "/");
    CHECK(join_path("./", "a/b") == "a/b");
    CHECK(join_path("<UNKNOWN>/", "a/../b") == "<UNKNOWN>/b");
    CHECK(join_path("", "/x/..") == "/");
}

TEST_CASE("the flat map agrees with the standard one") {
    std::mt19937 random(7);
    state::FlatMap<int> map;
    std::unordered_map<std::int64_t, int> model;
    for (int step = 0; step < 200'000; ++step) {
        const auto key = static_cast<std::int64_t>(random() % 512) - 3;
        if (random() % 3 != 0) {
            map[key] = step;
            model[key] = step;
        } else {
            REQUIRE(map.erase(key) == (model.erase(key) == 1));
        }
        const int* found = map.find(key);
        REQUIRE((found != nullptr) == model.contains(key));
        if (found != nullptr)
            REQUIRE(*found == model[key]);
        REQUIRE(map.size() == model.size());
    }
}
