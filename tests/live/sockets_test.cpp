// SPDX-License-Identifier: Apache-2.0
// Making and joining sockets: socket, bind, connect, listen, accept, shutdown, socketpair, names,
// options.
#include <fcntl.h>
#include <netinet/tcp.h>

#include <algorithm>

#include "tests/live/harness/endpoints.h"
#include "tests/live/harness/run.h"
#include "tests/live/harness/session.h"

namespace tiercel::live {

namespace {

constexpr Ip4 kServer4{"127.0.0.1", 47311}, kClient4{"127.0.0.2", 47312};
constexpr Ip6 kServer6{"::1", 47313}, kClient6{"::1", 47314};
constexpr long kSNonblock = 64, kSCloexec = 4096; // the schema's open flags

bool has_ipv6() {
    const int fd = ::socket(AF_INET6, SOCK_STREAM, 0);
    const auto a = Ip6{"::1", 0}.for_call();
    const bool has = fd >= 0 && ::bind(fd, generic(a), sizeof a) == 0;
    close(fd);
    return has;
}

} // namespace

LIVE_TEST(SOCKET_SOCKET_X) {
    Run run([] {
        call(SYS_socket, AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
        call(SYS_socket, AF_UNIX, SOCK_DGRAM, 0);
        call(SYS_socket, -1, 99, 98);
    });
    run.expect(SOCKET_SOCKET_X, {{"fd", run.result(0)},
                                 {"domain", 2},
                                 {"type", SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK},
                                 {"proto", 6},
                                 {"flags", kSCloexec | kSNonblock}});
    run.expect(
        SOCKET_SOCKET_X,
        {{"fd", run.result(1)}, {"domain", 1}, {"type", SOCK_DGRAM}, {"proto", 0}, {"flags", 0}});
    run.expect(SOCKET_SOCKET_X,
               {{"fd", run.result(2)}, {"domain", -1}, {"type", 99}, {"proto", 98}, {"flags", 0}});
    CHECK(run.result(2) < 0);
}

LIVE_TEST(SOCKET_BIND_X) {
    Run run([] {
        const auto four = kServer4.for_call();
        const auto six = kServer6.for_call();
        const auto path = unix_for_call("socket"),
                   hidden = unix_for_call(std::string_view("\0hidden-live", 12));
        call(SYS_bind, ::socket(AF_INET, SOCK_DGRAM, 0), &four, sizeof four);
        call(SYS_bind, ::socket(AF_UNIX, SOCK_STREAM, 0), &path, sizeof path);
        call(SYS_bind, ::socket(AF_UNIX, SOCK_DGRAM, 0), &hidden, 2 + 12);
        call(SYS_bind, -1, &six, sizeof six);
        call(SYS_bind, -1, nullptr, 0);
    });
    run.expect(SOCKET_BIND_X, {{"res", 0}, {"addr", address(kServer4)}, {"fd", kNonzero}});
    run.expect(SOCKET_BIND_X, {{"res", 0}, {"addr", unix_address("socket")}, {"fd", kNonzero}});
    run.expect(SOCKET_BIND_X,
               {{"res", 0}, {"addr", unix_address("hidden-live")}, {"fd", kNonzero}});
    run.expect(SOCKET_BIND_X, {{"res", -EBADF}, {"addr", address(kServer6)}, {"fd", -1}});
    run.expect(SOCKET_BIND_X, {{"res", -EBADF}, {"addr", kNothing}, {"fd", -1}});
}

LIVE_TEST(SOCKET_CONNECT_X) {
    Run run([] {
        const auto server = kServer4.for_call();
        const auto from = kClient4.for_call();
        listening(server);
        note(0, bound(SOCK_STREAM, from));
        call(SYS_connect, note_of(0), &server, sizeof server);
        call(SYS_connect, -1, &server, sizeof server);
    });
    run.expect(SOCKET_CONNECT_X, {{"res", 0},
                                  {"tuple", tuple(kClient4, kServer4)},
                                  {"fd", run.note(0)},
                                  {"addr", address(kServer4)}});
    run.expect(SOCKET_CONNECT_X,
               {{"res", -EBADF}, {"tuple", kNothing}, {"fd", -1}, {"addr", address(kServer4)}});
}

LIVE_TEST(SOCKET_CONNECT_X, "in progress and refused") {
    Run run([] {
        const auto server = kServer4.for_call();
        const auto from = kClient4.for_call();
        note(0, bound(SOCK_STREAM, from));
        call(SYS_connect, note_of(0), &server, sizeof server);
        listening(server);
        note(1, bound(SOCK_STREAM, Ip4{"127.0.0.3", 47316}.for_call()));
        fcntl(static_cast<int>(note_of(1)), F_SETFL, O_NONBLOCK);
        call(SYS_connect, note_of(1), &server, sizeof server);
    });
    run.expect(SOCKET_CONNECT_X, {{"res", -ECONNREFUSED},
                                  {"tuple", kNothing},
                                  {"fd", run.note(0)},
                                  {"addr", address(kServer4)}});
    run.expect(SOCKET_CONNECT_X, {{"res", -EINPROGRESS},
                                  {"tuple", tuple(Ip4{"127.0.0.3", 47316}, kServer4)},
                                  {"fd", run.note(1)},
                                  {"addr", address(kServer4)}});
}

LIVE_TEST(SOCKET_CONNECT_X, "ipv6") {
    if (!has_ipv6())
        LIVE_SKIP("no IPv6 here");
    Run run([] {
        const auto server = kServer6.for_call();
        listening(server);
        note(0, bound(SOCK_STREAM, kClient6.for_call()));
        call(SYS_connect, note_of(0), &server, sizeof server);
    });
    run.expect(SOCKET_CONNECT_X, {{"res", 0},
                                  {"tuple", tuple(kClient6, kServer6)},
                                  {"fd", run.note(0)},
                                  {"addr", address(kServer6)}});
}

LIVE_TEST(SOCKET_CONNECT_X, "udp") {
    Run run([] {
        const auto server = kServer4.for_call();
        note(0, bound(SOCK_DGRAM, kClient4.for_call()));
        call(SYS_connect, note_of(0), &server, sizeof server);
    });
    run.expect(SOCKET_CONNECT_X, {{"res", 0},
                                  {"tuple", tuple(kClient4, kServer4)},
                                  {"fd", run.note(0)},
                                  {"addr", address(kServer4)}});
}

LIVE_TEST(SOCKET_CONNECT_X, "unix") {
    Run run([] {
        const auto path = unix_for_call("socket"),
                   hidden = unix_for_call(std::string_view("\0hidden-live2", 13));
        const int server = listening(path);
        const int quiet = ::socket(AF_UNIX, SOCK_STREAM, 0);
        (void)bind(quiet, generic(hidden), 2 + 13);
        listen(quiet, 1);
        note(0, ::socket(AF_UNIX, SOCK_STREAM, 0));
        note(1, ::socket(AF_UNIX, SOCK_STREAM, 0));
        call(SYS_connect, note_of(0), &path, sizeof path);
        call(SYS_accept, server, nullptr, nullptr);
        call(SYS_connect, note_of(1), &hidden, 2 + 13);
        call(SYS_connect, -1, &path, sizeof path);
    });
    run.expect(SOCKET_CONNECT_X, {{"res", 0},
                                  {"tuple", unix_tuple("socket", !by_ptrace())},
                                  {"fd", run.note(0)},
                                  {"addr", unix_address("socket")}});
    run.expect(SOCKET_CONNECT_X, {{"res", 0},
                                  {"tuple", unix_tuple("hidden-live2", !by_ptrace())},
                                  {"fd", run.note(1)},
                                  {"addr", unix_address("hidden-live2")}});
    run.expect(
        SOCKET_CONNECT_X,
        {{"res", -EBADF}, {"tuple", kNothing}, {"fd", -1}, {"addr", unix_address("socket")}});
    run.expect(SOCKET_ACCEPT_5_X, {{"fd", run.result(1)},
                                   {"tuple", unix_tuple("socket")},
                                   {"queuepct", 0},
                                   {"queuelen", 0},
                                   {"queuemax", 5}});
    // Both ends see the same pair: the server's socket first, for it is where the bytes go and come
    // from.
    const auto connects = run.of(run.tid(), SOCKET_CONNECT_X),
               accepts = run.of(run.tid(), SOCKET_ACCEPT_5_X);
    REQUIRE((!connects.empty() && accepts.size() == 1));
    CHECK((by_ptrace() || std::ranges::equal(connects[0].param(1), accepts[0].param(1))));
}

LIVE_TEST(SOCKET_LISTEN_X) {
    Run run([] {
        note(0, bound(SOCK_STREAM, kServer4.for_call()));
        call(SYS_listen, note_of(0), 7);
        call(SYS_listen, -1, -3);
    });
    run.expect(SOCKET_LISTEN_X, {{"res", 0}, {"fd", run.note(0)}, {"backlog", 7}});
    run.expect(SOCKET_LISTEN_X, {{"res", -EBADF}, {"fd", -1}, {"backlog", -3}});
}

LIVE_TEST(SOCKET_ACCEPT_5_X) {
    Run run([] {
        const auto server = kServer4.for_call();
        const int listener = listening(server, 4);
        connected(SOCK_STREAM, kClient4.for_call(), server);
        connected(SOCK_STREAM, Ip4{"127.0.0.3", 47317}.for_call(), server);
        call(SYS_accept, listener, nullptr, nullptr);
        call(SYS_accept, -1, nullptr, nullptr);
    });
    // One connection is left in a queue of four.
    run.expect(SOCKET_ACCEPT_5_X, {{"fd", run.result(0)},
                                   {"tuple", tuple(kClient4, kServer4)},
                                   {"queuepct", 25},
                                   {"queuelen", 1},
                                   {"queuemax", 4}});
    run.expect(
        SOCKET_ACCEPT_5_X,
        {{"fd", -EBADF}, {"tuple", kNothing}, {"queuepct", 0}, {"queuelen", 0}, {"queuemax", 0}});
}

LIVE_TEST(SOCKET_ACCEPT4_6_X) {
    Run run([] {
        const auto server = kServer4.for_call();
        const int listener = listening(server, 8);
        connected(SOCK_STREAM, kClient4.for_call(), server);
        call(SYS_accept4, listener, nullptr, nullptr, SOCK_CLOEXEC);
        call(SYS_accept4, listener, nullptr, nullptr, -1);
    });
    run.expect(SOCKET_ACCEPT4_6_X, {{"fd", run.result(0)},
                                    {"tuple", tuple(kClient4, kServer4)},
                                    {"queuepct", 0},
                                    {"queuelen", 0},
                                    {"queuemax", 8},
                                    {"flags", 0}});
    run.expect(SOCKET_ACCEPT4_6_X, {{"fd", -EINVAL},
                                    {"tuple", kNothing},
                                    {"queuepct", 0},
                                    {"queuelen", 0},
                                    {"queuemax", 0},
                                    {"flags", 0}});
}

LIVE_TEST(SOCKET_ACCEPT4_6_X, "ipv6") {
    if (!has_ipv6())
        LIVE_SKIP("no IPv6 here");
    Run run([] {
        const auto server = kServer6.for_call();
        const int listener = listening(server, 8);
        connected(SOCK_STREAM, kClient6.for_call(), server);
        call(SYS_accept4, listener, nullptr, nullptr, 0);
    });
    run.expect(SOCKET_ACCEPT4_6_X, {{"fd", run.result(0)},
                                    {"tuple", tuple(kClient6, kServer6)},
                                    {"queuepct", 0},
                                    {"queuelen", 0},
                                    {"queuemax", 8},
                                    {"flags", 0}});
}

LIVE_TEST(SOCKET_SHUTDOWN_X) {
    Run run([] {
        int ends[2];
        socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
        note(0, ends[0]);
        call(SYS_shutdown, ends[0], SHUT_RDWR);
        call(SYS_shutdown, -1, SHUT_WR);
    });
    run.expect(SOCKET_SHUTDOWN_X, {{"res", 0}, {"fd", run.note(0)}, {"how", 2}});
    run.expect(SOCKET_SHUTDOWN_X, {{"res", -EBADF}, {"fd", -1}, {"how", 1}});
}

LIVE_TEST(SOCKET_SOCKETPAIR_X) {
    Run run([] {
        int ends[2];
        call(SYS_socketpair, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);
        note(0, ends[0]);
        note(1, ends[1]);
        call(SYS_socketpair, AF_INET, SOCK_DGRAM, 6, nullptr);
    });
    run.expect(SOCKET_SOCKETPAIR_X, {{"res", 0},
                                     {"fd1", run.note(0)},
                                     {"fd2", run.note(1)},
                                     {"source", kNonzero},
                                     {"peer", kNonzero},
                                     {"domain", 1},
                                     {"type", SOCK_STREAM | SOCK_CLOEXEC},
                                     {"proto", 0}});
    run.expect(SOCKET_SOCKETPAIR_X, {{"res", run.result(1)},
                                     {"fd1", -1},
                                     {"fd2", -1},
                                     {"source", 0},
                                     {"peer", 0},
                                     {"domain", 2},
                                     {"type", SOCK_DGRAM},
                                     {"proto", 6}});
    CHECK(run.result(1) < 0);
    const auto pairs = run.of(run.tid(), SOCKET_SOCKETPAIR_X);
    REQUIRE(pairs.size() == 2);
    CHECK(*pairs[0].number<std::uint64_t>(3) != *pairs[0].number<std::uint64_t>(4));
}

// The schema gives these two no parameters: that they come is all there is to see.
LIVE_TEST(SOCKET_GETSOCKNAME_X) {
    Run run([] {
        const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
        sockaddr_in name{};
        socklen_t size = sizeof name;
        call(SYS_getsockname, fd, &name, &size);
    });
    CHECK(run.result(0) == 0);
    run.expect(SOCKET_GETSOCKNAME_X, {});
    run.expect_no_more(SOCKET_GETSOCKNAME_X);
}

LIVE_TEST(SOCKET_GETPEERNAME_X) {
    Run run([] { call(SYS_getpeername, -1, nullptr, nullptr); });
    run.expect(SOCKET_GETPEERNAME_X, {});
    run.expect_no_more(SOCKET_GETPEERNAME_X);
}

namespace {

// A value of type DYN: the kind of it, then the value.
template <typename T>
Raw option(char kind, T value) {
    return {std::string(1, kind) +
            std::string(reinterpret_cast<const char*>(&value), sizeof value)};
}
constexpr char kKindBytes = 0, kKindErrno = 1, kKindU32 = 2, kKindTime = 4;

} // namespace

LIVE_TEST(SOCKET_SETSOCKOPT_X) {
    Run run([] {
        const int fd = ::socket(AF_INET, SOCK_STREAM, 0), on = 1;
        const timeval limit{3, 5};
        const char text[] = "text"; // memory that is sure to be present
        note(0, fd);
        call(SYS_setsockopt, fd, SOL_SOCKET, SO_REUSEADDR, &on, 4);
        call(SYS_setsockopt, fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        call(SYS_setsockopt, fd, IPPROTO_TCP, TCP_NODELAY, &on, 4);
        call(SYS_setsockopt, -1, SOL_SOCKET, SO_KEEPALIVE, &on, 4);
        call(SYS_setsockopt, -1, 12345, 77, text, 5);
    });
    run.expect(SOCKET_SETSOCKOPT_X, {{"res", 0},
                                     {"fd", run.note(0)},
                                     {"level", 1},
                                     {"optname", SO_REUSEADDR},
                                     {"val", option(kKindU32, 1)},
                                     {"optlen", 4}});
    run.expect(SOCKET_SETSOCKOPT_X, {{"res", 0},
                                     {"fd", run.note(0)},
                                     {"level", 1},
                                     {"optname", SO_RCVTIMEO},
                                     {"val", option(kKindTime, std::uint64_t{3'000'005'000})},
                                     {"optlen", 16}});
    run.expect(SOCKET_SETSOCKOPT_X, {{"res", 0},
                                     {"fd", run.note(0)},
                                     {"level", 2},
                                     {"optname", 0},
                                     {"val", option(kKindBytes, 1)},
                                     {"optlen", 4}});
    run.expect(SOCKET_SETSOCKOPT_X, {{"res", -EBADF},
                                     {"fd", -1},
                                     {"level", 1},
                                     {"optname", SO_KEEPALIVE},
                                     {"val", option(kKindU32, 1)},
                                     {"optlen", 4}});
    run.expect(SOCKET_SETSOCKOPT_X, {{"res", -EBADF},
                                     {"fd", -1},
                                     {"level", 0},
                                     {"optname", 0},
                                     {"val", Raw{std::string("\0text\0", 6)}},
                                     {"optlen", 5}});
}

LIVE_TEST(SOCKET_GETSOCKOPT_X) {
    Run run([] {
        const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
        int value = -1;
        socklen_t size = sizeof value;
        note(0, fd);
        call(SYS_getsockopt, fd, SOL_SOCKET, SO_TYPE, &value, &size);
        (void)::connect(fd, generic(kServer4.for_call()), sizeof(sockaddr_in)); // refused
        call(SYS_getsockopt, fd, SOL_SOCKET, SO_ERROR, &value, &size);
        value = 5;
        call(SYS_getsockopt, -1, SOL_SOCKET, SO_PASSCRED, &value, &size);
    });
    run.expect(SOCKET_GETSOCKOPT_X, {{"res", 0},
                                     {"fd", run.note(0)},
                                     {"level", 1},
                                     {"optname", SO_TYPE},
                                     {"val", option(kKindU32, SOCK_STREAM)},
                                     {"optlen", 4}});
    run.expect(SOCKET_GETSOCKOPT_X, {{"res", 0},
                                     {"fd", run.note(0)},
                                     {"level", 1},
                                     {"optname", SO_ERROR},
                                     {"val", option(kKindErrno, std::int64_t{0})},
                                     {"optlen", 4}});
    // A failed call wrote neither value nor length.
    run.expect(
        SOCKET_GETSOCKOPT_X,
        {{"res", -EBADF},
         {"fd", -1},
         {"level", 1},
         {"optname", SO_PASSCRED},
         {"val", TextCondition{"kind 2 and nothing that the kernel wrote",
                               [](std::string_view v) { return !v.empty() && v[0] == kKindU32; }}},
         {"optlen", 0}});
}

} // namespace tiercel::live
