// SPDX-License-Identifier: Apache-2.0
// Data through sockets: sendto, recvfrom, sendmsg, recvmsg and their forms for many messages.
#include <sys/uio.h>

#include "tests/live/harness/endpoints.h"
#include "tests/live/harness/run.h"

namespace tiercel::live {

namespace {

constexpr Ip4 kServer4{"127.0.0.1", 47321}, kClient4{"127.0.0.2", 47322};
constexpr Ip6 kServer6{"::1", 47323}, kClient6{"::1", 47324};
const std::string kLongData(200, 'L');
const Raw kLongKept{std::string(80, 'L')};

bool has_ipv6() {
    const int fd = ::socket(AF_INET6, SOCK_DGRAM, 0);
    const auto a = Ip6{"::1", 0}.for_call();
    const bool has = fd >= 0 && ::bind(fd, generic(a), sizeof a) == 0;
    close(fd);
    return has;
}

// Two UDP sockets: notes 0, unconnected at the client's address, and 1, at the server's.
template <typename Ip>
void udp_pair(const Ip& client, const Ip& server) {
    note(0, bound(SOCK_DGRAM, client.for_call()));
    note(1, bound(SOCK_DGRAM, server.for_call()));
}

// Both ends of a TCP connection: notes 0 and 1.
void tcp_pair() {
    const auto server = kServer4.for_call();
    const int listener = listening(server);
    note(0, connected(SOCK_STREAM, kClient4.for_call(), server));
    note(1, ::accept(listener, nullptr, nullptr));
}

msghdr message(iovec* parts, std::size_t count, void* name = nullptr, socklen_t name_size = 0) {
    msghdr m{};
    m.msg_iov = parts;
    m.msg_iovlen = count;
    m.msg_name = name;
    m.msg_namelen = name_size;
    return m;
}

iovec part(const void* data, std::size_t size) {
    return {const_cast<void*>(data), size};
}

char into[300];

} // namespace

LIVE_TEST(SOCKET_SENDTO_X) {
    Run run([] {
        const auto server = kServer4.for_call();
        udp_pair(kClient4, kServer4);
        call(SYS_sendto, note_of(0), kLongData.data(), 200, 0, &server, sizeof server);
        call(SYS_sendto, -1, "abc", 3, 0, &server, sizeof server);
    });
    run.expect(SOCKET_SENDTO_X, {{"res", 200},
                                 {"data", kLongKept},
                                 {"fd", run.note(0)},
                                 {"size", 200},
                                 {"tuple", tuple(kClient4, kServer4)}});
    run.expect(
        SOCKET_SENDTO_X,
        {{"res", -EBADF}, {"data", Raw{"abc"}}, {"fd", -1}, {"size", 3}, {"tuple", kNothing}});
}

LIVE_TEST(SOCKET_SENDTO_X, "tcp") {
    Run run([] {
        tcp_pair();
        call(SYS_sendto, note_of(0), "abc", 3, 0, nullptr, 0);
        call(SYS_sendto, note_of(1), "defg", 4, 0, nullptr, 0);
    });
    run.expect(SOCKET_SENDTO_X, {{"res", 3},
                                 {"data", Raw{"abc"}},
                                 {"fd", run.note(0)},
                                 {"size", 3},
                                 {"tuple", tuple(kClient4, kServer4)}});
    run.expect(SOCKET_SENDTO_X, {{"res", 4},
                                 {"data", Raw{"defg"}},
                                 {"fd", run.note(1)},
                                 {"size", 4},
                                 {"tuple", tuple(kServer4, kClient4)}});
}

LIVE_TEST(SOCKET_SENDTO_X, "ipv6") {
    if (!has_ipv6())
        LIVE_SKIP("no IPv6 here");
    Run run([] {
        const auto server = kServer6.for_call();
        udp_pair(kClient6, kServer6);
        call(SYS_sendto, note_of(0), "six", 3, 0, &server, sizeof server);
    });
    run.expect(SOCKET_SENDTO_X, {{"res", 3},
                                 {"data", Raw{"six"}},
                                 {"fd", run.note(0)},
                                 {"size", 3},
                                 {"tuple", tuple(kClient6, kServer6)}});
}

LIVE_TEST(SOCKET_SENDTO_X, "unix datagram") {
    Run run([] {
        const auto path = unix_for_call("receiver");
        bound(SOCK_DGRAM, path);
        note(0, bound(SOCK_DGRAM, unix_for_call("sender")));
        call(SYS_sendto, note_of(0), "hi", 2, 0, &path, sizeof path);
    });
    // Without a peer the tuple has this end's kernel address and the path that was asked for.
    run.expect(SOCKET_SENDTO_X,
               {{"res", 2},
                {"data", Raw{"hi"}},
                {"fd", run.note(0)},
                {"size", 2},
                {"tuple", TextCondition{"a Unix tuple with this end and the receiver's path",
                                        [](std::string_view t) {
                                            return t.size() == 17 + 9 && t[0] == AF_UNIX &&
                                                   t.substr(17) ==
                                                       std::string_view("receiver\0", 9) &&
                                                   t.substr(9, 8) !=
                                                       std::string_view("\0\0\0\0\0\0\0\0", 8);
                                        }}}});
}

LIVE_TEST(SOCKET_RECVFROM_X) {
    Run run([] {
        const auto server = kServer4.for_call();
        sockaddr_in from{};
        socklen_t size = sizeof from;
        udp_pair(kClient4, kServer4);
        sendto(static_cast<int>(note_of(0)), kLongData.data(), 200, 0, generic(server),
               sizeof server);
        call(SYS_recvfrom, note_of(1), into, sizeof into, 0, &from, &size);
        call(SYS_recvfrom, -1, into, 9, 0, &from, &size);
    });
    run.expect(SOCKET_RECVFROM_X, {{"res", 200},
                                   {"data", kLongKept},
                                   {"tuple", tuple(kClient4, kServer4)},
                                   {"fd", run.note(1)},
                                   {"size", 300}});
    run.expect(SOCKET_RECVFROM_X,
               {{"res", -EBADF}, {"data", kNothing}, {"tuple", kNothing}, {"fd", -1}, {"size", 9}});
}

LIVE_TEST(SOCKET_RECVFROM_X, "tcp and end of stream") {
    Run run([] {
        tcp_pair();
        send(static_cast<int>(note_of(0)), "abc", 3, 0);
        call(SYS_recvfrom, note_of(1), into, 100, 0, nullptr, nullptr);
        close(static_cast<int>(note_of(0)));
        call(SYS_recvfrom, note_of(1), into, 100, 0, nullptr, nullptr);
    });
    run.expect(SOCKET_RECVFROM_X, {{"res", 3},
                                   {"data", Raw{"abc"}},
                                   {"tuple", tuple(kClient4, kServer4)},
                                   {"fd", run.note(1)},
                                   {"size", 100}});
    run.expect(SOCKET_RECVFROM_X, {{"res", 0},
                                   {"data", kNothing},
                                   {"tuple", tuple(kClient4, kServer4)},
                                   {"fd", run.note(1)},
                                   {"size", 100}});
}

LIVE_TEST(SOCKET_SENDMSG_X) {
    Run run([] {
        auto server = kServer4.for_call();
        iovec parts[] = {part("one", 3), part("two", 3)}, large = part(kLongData.data(), 200);
        udp_pair(kClient4, kServer4);
        const msghdr small_message = message(parts, 2, &server, sizeof server),
                     large_message = message(&large, 1, &server, sizeof server);
        call(SYS_sendmsg, note_of(0), &small_message, 0);
        call(SYS_sendmsg, note_of(0), &large_message, 0);
        call(SYS_sendmsg, -1, &small_message, 0);
    });
    run.expect(SOCKET_SENDMSG_X, {{"res", 6},
                                  {"data", Raw{"onetwo"}},
                                  {"fd", run.note(0)},
                                  {"size", 6},
                                  {"tuple", tuple(kClient4, kServer4)}});
    run.expect(SOCKET_SENDMSG_X, {{"res", 200},
                                  {"data", kLongKept},
                                  {"fd", run.note(0)},
                                  {"size", 200},
                                  {"tuple", tuple(kClient4, kServer4)}});
    run.expect(
        SOCKET_SENDMSG_X,
        {{"res", -EBADF}, {"data", Raw{"onetwo"}}, {"fd", -1}, {"size", 6}, {"tuple", kNothing}});
}

LIVE_TEST(SOCKET_RECVMSG_X) {
    Run run([] {
        const auto server = kServer4.for_call();
        sockaddr_in from{};
        iovec parts[] = {part(into, 2), part(into + 2, 100)};
        msghdr m = message(parts, 2, &from, sizeof from);
        udp_pair(kClient4, kServer4);
        sendto(static_cast<int>(note_of(0)), "received", 8, 0, generic(server), sizeof server);
        call(SYS_recvmsg, note_of(1), &m, 0);
        call(SYS_recvmsg, -1, &m, 0);
    });
    run.expect(SOCKET_RECVMSG_X, {{"res", 8},
                                  {"size", 8},
                                  {"data", Raw{"received"}},
                                  {"tuple", tuple(kClient4, kServer4)},
                                  {"msgcontrol", kNothing},
                                  {"fd", run.note(1)}});
    run.expect(SOCKET_RECVMSG_X, {{"res", -EBADF},
                                  {"size", 0},
                                  {"data", kNothing},
                                  {"tuple", kNothing},
                                  {"msgcontrol", kNothing},
                                  {"fd", -1}});
}

LIVE_TEST(SOCKET_RECVMSG_X, "control data") {
    struct Rights { // a cmsghdr and its data
        std::size_t size = CMSG_LEN(sizeof(int));
        int level = SOL_SOCKET, type = SCM_RIGHTS, fd = 0, padding = 0;
    };
    Run run([] {
        int ends[2];
        socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
        iovec one = part(into, 1);
        msghdr m = message(&one, 1);
        Rights rights;
        m.msg_control = &rights;
        m.msg_controllen = sizeof rights;
        sendmsg(ends[0], &m, 0);
        rights = {};
        call(SYS_recvmsg, ends[1], &m, 0);
        note(0, rights.fd);
        note(1, ends[1]);
    });
    Rights rights;
    rights.fd = static_cast<int>(run.note(0));
    run.expect(
        SOCKET_RECVMSG_X,
        {{"res", 1},
         {"size", 1},
         {"data", Raw{std::string(1, '\0')}},
         {"tuple", unix_tuple("")},
         {"msgcontrol", Raw{std::string(reinterpret_cast<const char*>(&rights), sizeof rights)}},
         {"fd", run.note(1)}});
}

LIVE_TEST(SOCKET_SENDMMSG_X) {
    Run run([] {
        auto server = kServer4.for_call();
        iovec one = part("one", 3), three = part("three", 5);
        mmsghdr both[2] = {{message(&one, 1, &server, sizeof server), 0},
                           {message(&three, 1, &server, sizeof server), 0}};
        udp_pair(kClient4, kServer4);
        call(SYS_sendmmsg, note_of(0), both, 2, 0);
        call(SYS_sendmmsg, -1, both, 2, 0);
    });
    run.expect(SOCKET_SENDMMSG_X, {{"res", 3},
                                   {"fd", run.note(0)},
                                   {"size", 3},
                                   {"data", Raw{"one"}},
                                   {"tuple", tuple(kClient4, kServer4)}});
    run.expect(SOCKET_SENDMMSG_X, {{"res", 5},
                                   {"fd", run.note(0)},
                                   {"size", 5},
                                   {"data", Raw{"three"}},
                                   {"tuple", tuple(kClient4, kServer4)}});
    run.expect(
        SOCKET_SENDMMSG_X,
        {{"res", -EBADF}, {"fd", -1}, {"size", 3}, {"data", Raw{"one"}}, {"tuple", kNothing}});
    run.expect_no_more(SOCKET_SENDMMSG_X);
}

LIVE_TEST(SOCKET_RECVMMSG_X) {
    Run run([] {
        const auto server = kServer4.for_call();
        sockaddr_in from[2]{};
        iovec parts[2] = {part(into, 50), part(into + 50, 50)};
        mmsghdr both[2] = {{message(&parts[0], 1, &from[0], sizeof from[0]), 0},
                           {message(&parts[1], 1, &from[1], sizeof from[1]), 0}};
        udp_pair(kClient4, kServer4);
        sendto(static_cast<int>(note_of(0)), "one", 3, 0, generic(server), sizeof server);
        sendto(static_cast<int>(note_of(0)), "three", 5, 0, generic(server), sizeof server);
        call(SYS_recvmmsg, note_of(1), both, 2, 0, nullptr);
        call(SYS_recvmmsg, -1, both, 2, 0, nullptr);
    });
    run.expect(SOCKET_RECVMMSG_X, {{"res", 3},
                                   {"fd", run.note(1)},
                                   {"size", 3},
                                   {"data", Raw{"one"}},
                                   {"tuple", tuple(kClient4, kServer4)},
                                   {"msgcontrol", kNothing}});
    run.expect(SOCKET_RECVMMSG_X, {{"res", 5},
                                   {"fd", run.note(1)},
                                   {"size", 5},
                                   {"data", Raw{"three"}},
                                   {"tuple", tuple(kClient4, kServer4)},
                                   {"msgcontrol", kNothing}});
    run.expect(SOCKET_RECVMMSG_X, {{"res", -EBADF},
                                   {"fd", -1},
                                   {"size", 0},
                                   {"data", kNothing},
                                   {"tuple", kNothing},
                                   {"msgcontrol", kNothing}});
    run.expect_no_more(SOCKET_RECVMMSG_X);
}

} // namespace tiercel::live
