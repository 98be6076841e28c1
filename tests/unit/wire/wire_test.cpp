// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <functional>
#include <thread>

#include "shared/wire/client.h"

using namespace tiercel;
using namespace tiercel::wire;

namespace {

struct Pair {
    Pair() {
        int ends[2];
        REQUIRE(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
        left = os::UniqueFd(ends[0]);
        right = os::UniqueFd(ends[1]);
    }
    os::UniqueFd left, right;
};

std::size_t open_fds() {
    std::filesystem::directory_iterator files("/proc/self/fd");
    return static_cast<std::size_t>(std::distance(begin(files), end(files)));
}

os::UniqueFd null() {
    return os::UniqueFd(open("/dev/null", O_RDONLY | O_CLOEXEC));
}

// Runs `server` as privd would be, and the client's open_session() against it.
os::Result<client::Session> against(const std::function<void(const os::UniqueFd&)>& server) {
    Pair pair;
    std::thread thread([&] {
        server(pair.right);
        pair.right.reset();
    });
    auto session = client::open_session(pair.left, Request{});
    thread.join();
    return session;
}

void take_request(const os::UniqueFd& socket) {
    Request request;
    CHECK(receive_record(socket, &request, sizeof request));
}

Reply one_ring() {
    Reply reply;
    reply.fds[static_cast<std::size_t>(Kind::ring)] = 1;
    return reply;
}

void send_fds(const os::UniqueFd& socket, Kind kind, std::uint32_t first, std::uint32_t announced,
              std::size_t sent) {
    Fds fds;
    fds.kind = kind;
    fds.first = first;
    fds.count = announced;
    auto file = null();
    std::vector<int> numbers(sent, file.get());
    CHECK(send_message(socket, fds, numbers));
}

} // namespace

TEST_CASE("check_header takes exactly one shape") {
    Header good{.type = Type::open};
    CHECK(check_header(good, 96, Type::open, 96) == Status::ok);
    CHECK(check_header(good, 95, Type::open, 96) == Status::malformed);
    CHECK(check_header(good, 97, Type::open, 96) == Status::malformed);
    CHECK(check_header(good, 7, Type::open, 96) == Status::malformed);
    CHECK(check_header(good, 96, Type::door, 96) == Status::malformed);
    Header old = good;
    old.version = wire::kVersion + 1;
    CHECK(check_header(old, 12, Type::open, 96) == Status::wrong_version);
    Header alien = old;
    alien.magic ^= 1;
    CHECK(check_header(alien, 96, Type::open, 96) == Status::malformed);
}

TEST_CASE("a record arrives whole or not at all") {
    Pair pair;
    char out[200] = "x", in[100];
    REQUIRE(send_record(pair.left, out, sizeof out));
    CHECK(receive_record(pair.right, in, sizeof in).error().number == EMSGSIZE);
    REQUIRE(send_record(pair.left, out, 10));
    auto got = receive_record(pair.right, in, sizeof in);
    REQUIRE(got);
    CHECK(*got == 10);
    pair.left.reset();
    CHECK(receive_record(pair.right, in, sizeof in).error().number == ECONNRESET);
    CHECK(send_record(pair.right, out, 10).error().number == EPIPE);
}

TEST_CASE("unexpected fds are closed, and the record is an error") {
    for (std::size_t room = 0; room < 4; ++room) {
        Pair pair;
        auto file = null();
        std::vector<int> sent(4, file.get());
        char byte = 0;
        REQUIRE(send_record(pair.left, &byte, 1, sent));
        std::size_t before = open_fds();
        {
            std::vector<os::UniqueFd> fds(room);
            auto got = client::receive_with_fds(pair.right, &byte, 1, fds);
            REQUIRE_FALSE(got);
            CHECK(got.error().number == EMSGSIZE);
        }
        CHECK(open_fds() == before);
    }
}

TEST_CASE("as many fds as announced arrive, close-on-exec") {
    Pair pair;
    auto file = null();
    std::vector<int> sent(kFdsPerMessage, file.get());
    char byte = 0;
    REQUIRE(send_record(pair.left, &byte, 1, sent));
    std::vector<os::UniqueFd> fds(kFdsPerMessage);
    auto got = client::receive_with_fds(pair.right, &byte, 1, fds);
    REQUIRE(got);
    CHECK(got->fds == kFdsPerMessage);
    for (const auto& fd : fds)
        CHECK(fcntl(fd.get(), F_GETFD) == FD_CLOEXEC);
}

TEST_CASE("descriptors of every kind, in several records, are put together") {
    constexpr std::uint32_t kCounts[kKinds] = {2, 1, 450, 4, 4, 1};
    auto session = against([&](const os::UniqueFd& socket) {
        take_request(socket);
        Reply reply;
        std::memcpy(reply.fds, kCounts, sizeof kCounts);
        CHECK(send_message(socket, reply));
        for (std::uint32_t kind = 0; kind < kKinds; ++kind)
            for (std::uint32_t first = 0; first < kCounts[kind]; first += 200) {
                std::uint32_t part = std::min(kCounts[kind] - first, 200u);
                send_fds(socket, static_cast<Kind>(kind), first, part, part);
            }
        CHECK(send_message(socket, Done{}));
    });
    REQUIRE(session);
    CHECK(session->rings.size() == 2);
    CHECK(session->counters.size() == 1);
    CHECK(session->links.size() == 450);
    CHECK(session->iter_task.size() == 4);
    CHECK(session->iter_task_file.size() == 4);
    CHECK(session->wakeups.size() == 1);
    for (const auto& link : session->links)
        CHECK(link.valid());
}

TEST_CASE("the client believes no impossible server") {
    auto refused = [](const std::function<void(const os::UniqueFd&)>& server) {
        auto session = against(server);
        REQUIRE_FALSE(session);
        return session.error().number;
    };
    CHECK(refused([](const os::UniqueFd& s) { take_request(s); }) == ECONNRESET);
    CHECK(refused([](const os::UniqueFd& s) {
              take_request(s);
              CHECK(send_message(s, Done{}));
          }) == EBADMSG);
    CHECK(refused([](const os::UniqueFd& s) {
              take_request(s);
              Reply old;
              old.header.version = 99;
              CHECK(send_message(s, old));
          }) == EPROTONOSUPPORT);
    CHECK(refused([](const os::UniqueFd& s) {
              take_request(s);
              Reply greedy;
              greedy.fds[0] = 0xffffffff;
              CHECK(send_message(s, greedy));
          }) == EBADMSG);
    // {kind, first, announced, sent}, none of which fits a reply that says one ring.
    struct {
        std::uint32_t kind, first, announced;
        std::size_t sent;
    } wrong[] = {{99, 0, 1, 1}, {0, 1, 1, 1}, {0, 0, 2, 2}, {0, 0, 1, 2},
                 {0, 0, 1, 0},  {0, 0, 0, 0}, {1, 0, 1, 1}};
    for (const auto& row : wrong)
        CHECK(refused([&](const os::UniqueFd& s) {
                  take_request(s);
                  CHECK(send_message(s, one_ring()));
                  send_fds(s, static_cast<Kind>(row.kind), row.first, row.announced, row.sent);
              }) == EBADMSG);
}

TEST_CASE("a refusal reaches the caller even when privd has closed already") {
    auto session = against([](const os::UniqueFd& socket) {
        take_request(socket);
        Reply reply;
        reply.status = Status::wrong_peer;
        reply.detail = 65534;
        CHECK(send_message(socket, reply));
    });
    REQUIRE(session);
    CHECK(client::describe(session->reply).find("uid 65534") != std::string::npos);
}

TEST_CASE("the door gives one fd or the errno of the open") {
    Pair pair;
    std::thread server([&] {
        DoorRequest request;
        CHECK(receive_record(pair.right, &request, sizeof request));
        CHECK(request.pid == 42);
        CHECK(request.file == ProcFile::cgroup);
        auto file = null();
        int fd = file.get();
        CHECK(send_message(pair.right, DoorReply{}, {&fd, 1}));
        CHECK(receive_record(pair.right, &request, sizeof request));
        CHECK(send_message(pair.right, DoorReply{.error = ESRCH}));
        CHECK(receive_record(pair.right, &request, sizeof request));
        CHECK(send_message(pair.right, DoorReply{}));
    });
    CHECK(client::ask_door(pair.left, 42, ProcFile::cgroup)->valid());
    CHECK(client::ask_door(pair.left, 42, ProcFile::stat).error().number == ESRCH);
    CHECK(client::ask_door(pair.left, 42, ProcFile::stat).error().number == EBADMSG);
    server.join();
}

TEST_CASE("the door gives a link's text, its length checked, or the errno of the reading") {
    Pair pair;
    std::thread server([&] {
        DoorRequest request;
        CHECK(receive_record(pair.right, &request, sizeof request));
        CHECK(request.file == ProcFile::exe);
        LinkReply reply{.length = 8};
        std::memcpy(reply.text, "/bin/cat", 8);
        CHECK(send_message(pair.right, reply));
        CHECK(receive_record(pair.right, &request, sizeof request));
        CHECK(send_message(pair.right, LinkReply{.error = EACCES}));
        CHECK(receive_record(pair.right, &request, sizeof request));
        CHECK(send_message(pair.right, LinkReply{.length = kLinkBytes + 1}));
    });
    CHECK(*client::ask_link(pair.left, 42, ProcFile::exe) == "/bin/cat");
    CHECK(client::ask_link(pair.left, 42, ProcFile::cwd).error().number == EACCES);
    CHECK(client::ask_link(pair.left, 42, ProcFile::cwd).error().number == EBADMSG);
    server.join();
}

TEST_CASE("every status has one line of its own, and says what it is about") {
    std::vector<std::string> lines;
    for (std::uint32_t status = 0; status < static_cast<std::uint32_t>(Status::count); ++status) {
        Reply reply;
        reply.status = static_cast<Status>(status);
        reply.error = EPERM;
        std::string line = client::describe(reply);
        CHECK(line.find('\n') == std::string::npos);
        for (const std::string& other : lines)
            CHECK(line != other);
        lines.push_back(line);
    }
    Reply reply;
    reply.status = Status::missing_capability;
    reply.detail = 1ull << 39 | 1ull << 38;
    CHECK(client::describe(reply).find("CAP_BPF and CAP_PERFMON") != std::string::npos);
    reply.status = Status::bad_tracepoints;
    reply.detail = 2 | 4;
    CHECK(client::describe(reply).find("context switches and page faults") != std::string::npos);
    reply.status = Status::load_failed;
    reply.detail = step_btf;
    reply.error = ENOENT;
    CHECK(client::describe(reply).find("this kernel has no BTF") != std::string::npos);
    reply.error = EACCES;
    CHECK(client::describe(reply).find("this kernel has no BTF") == std::string::npos);
    reply.detail = step_types;
    CHECK(client::describe(reply).find("could not run privd-types") != std::string::npos);
    reply.status = static_cast<Status>(12345);
    CHECK(client::describe(reply).find("unknown status") != std::string::npos);
}

TEST_CASE("connecting to a socket without a listener tells the path and the reason") {
    CHECK(client::connect_to("/nonexistent/privd.sock").error().number == ENOENT);
    CHECK(client::connect_to(std::string(300, 'x').c_str()).error().number == ENAMETOOLONG);
}
