// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vector>

#include "analyzer/observers/health.h"
#include "analyzer/service/bearer_token.h"
#include "analyzer/service/http_listener.h"

using namespace tiercel;
using app::HttpListener;

namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

struct Server {
    explicit Server(std::string body = "x 1\n") {
        os::UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        REQUIRE(bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
        REQUIRE(listen(socket.get(), 16) == 0);
        socklen_t length = sizeof address;
        getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &length);
        place = address;
        auto taken =
            HttpListener::take(std::move(socket), [body = std::move(body)](const auto& request) {
                if (request.path == "/whose")
                    return HttpListener::Answer{.status = 401, .body = std::string(request.bearer)};
                return request.path == "/metrics"
                           ? HttpListener::Answer{.body = body}
                           : HttpListener::Answer{.status = 404, .body = "none\n"};
            });
        REQUIRE(taken);
        listener.emplace(*std::move(taken));
    }
    os::UniqueFd connect() const {
        os::UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        REQUIRE(::connect(socket.get(), reinterpret_cast<const sockaddr*>(&place), sizeof place) ==
                0);
        timeval patience{2, 0};
        setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        return socket;
    }
    void turn(std::uint64_t now = kSecond) {
        for (int i = 0; i < 6; ++i)
            listener->on_ready(now);
    }
    // What is answered to `request`, given in two parts; everything up to the end.
    std::string ask(std::string_view request) {
        const os::UniqueFd client = connect();
        const std::size_t half = request.size() / 2;
        for (const std::string_view part : {request.substr(0, half), request.substr(half)}) {
            CHECK(send(client.get(), part.data(), part.size(), MSG_NOSIGNAL) ==
                  static_cast<ssize_t>(part.size()));
            turn();
        }
        return rest(client);
    }
    std::string rest(const os::UniqueFd& client) {
        std::string all;
        char part[65536];
        for (;;) {
            turn();
            const ssize_t got = recv(client.get(), part, sizeof part, 0);
            if (got <= 0)
                return all;
            all.append(part, static_cast<std::size_t>(got));
        }
    }
    sockaddr_in place{};
    std::optional<HttpListener> listener;
};

} // namespace

TEST_CASE("GET is answered, whatever parts it comes in") {
    Server server;
    const std::string reply = server.ask("GET /metrics?a=b HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(reply.starts_with("HTTP/1.0 200 OK\r\n"));
    CHECK(reply.ends_with("Content-Length: 4\r\nConnection: close\r\n\r\nx 1\n"));
    CHECK(server.ask("GET /else HTTP/1.1\r\n\r\n").starts_with("HTTP/1.0 404 Not Found\r\n"));
}

TEST_CASE("a reply that does not fit the socket's buffer comes whole") {
    Server server(std::string(16 << 20, 'x'));
    const std::string reply = server.ask("GET /metrics HTTP/1.1\r\n\r\n");
    CHECK(reply.size() > (16U << 20));
}

TEST_CASE("what is no request is refused") {
    Server server;
    CHECK(server.ask("POST /metrics HTTP/1.1\r\n\r\n").starts_with("HTTP/1.0 405 "));
    CHECK(server.ask("GET /\r\n\r\n").starts_with("HTTP/1.0 400 "));
    CHECK(server.ask(std::string("\0\xff\r\n\r\n", 6)).starts_with("HTTP/1.0 405 "));
    CHECK(server.ask("GET /" + std::string(4000, 'a')).starts_with("HTTP/1.0 400 "));
}

TEST_CASE("HEAD is answered as GET is, without a body") {
    Server server;
    const std::string reply = server.ask("HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(reply.starts_with("HTTP/1.0 200 OK\r\n"));
    CHECK(reply.ends_with("Content-Length: 4\r\nConnection: close\r\n\r\n"));
    CHECK(server.ask("HEAD /else HTTP/1.1\r\n\r\n").starts_with("HTTP/1.0 404 "));
}

TEST_CASE("a request's token arrives, and a refusal names the scheme") {
    Server server;
    const auto bearer = [&](const std::string& headers) {
        const std::string reply = server.ask("GET /whose HTTP/1.1\r\n" + headers + "\r\n");
        CHECK(reply.starts_with("HTTP/1.0 401 Unauthorized\r\n"));
        CHECK(reply.find("WWW-Authenticate: Bearer\r\n") != std::string::npos);
        return reply.substr(reply.find("\r\n\r\n") + 4);
    };
    CHECK(bearer("Host: x\r\nAuthorization: Bearer abc\r\n") == "abc");
    CHECK(bearer("AUTHORIZATION:bEARER abc\r\nHost: x\r\n") == "abc");
    CHECK(bearer("Authorization: Basic abc\r\n") == "");
    CHECK(bearer("X-Authorization: Bearer abc\r\n") == "");
    CHECK(bearer("Host: x\r\n") == "");
    CHECK(bearer("Authorization:\r\n") == "");
}

TEST_CASE("a token's file is made for its owner alone, and kept") {
    std::string folder = "/tmp/tiercel-token-XXXXXX";
    REQUIRE(mkdtemp(folder.data()) != nullptr);
    const std::string path = folder + "/token";
    auto made = app::read_or_make_token(path);
    REQUIRE(made);
    CHECK((*made).size() == 64);
    struct stat status {};
    REQUIRE(stat(path.c_str(), &status) == 0);
    CHECK((status.st_mode & 07777) == 0600);
    auto again = app::read_or_make_token(path);
    REQUIRE(again);
    CHECK(*again == *made);
    REQUIRE(chmod(path.c_str(), 0640) == 0); // as a mounted secret of Kubernetes
    CHECK(app::read_or_make_token(path));
    REQUIRE(chmod(path.c_str(), 0644) == 0);
    CHECK_FALSE(app::read_or_make_token(path));
    REQUIRE((chmod(path.c_str(), 0600) == 0 && truncate(path.c_str(), 15) == 0));
    CHECK_FALSE(app::read_or_make_token(path));
    CHECK_FALSE(app::read_or_make_token(folder + "/none/token"));
    unlink(path.c_str());
    rmdir(folder.c_str());
    CHECK(app::is_token("abc", "abc"));
    CHECK_FALSE(app::is_token("abd", "abc"));
    CHECK_FALSE(app::is_token("ab", "abc"));
    CHECK_FALSE(app::is_token("", ""));
}

TEST_CASE("clients that say nothing keep no other from its answer, however many they are") {
    Server server;
    std::vector<os::UniqueFd> silent;
    constexpr std::string_view kRequest = "GET /metrics HTTP/1.1\r\n\r\n";
    for (std::size_t i = 0; i < 3 * HttpListener::kConnections; ++i) {
        silent.push_back(server.connect());
        send(silent.back().get(), "GET /", 5, MSG_NOSIGNAL);
        server.turn();
        const os::UniqueFd client = server.connect();
        send(client.get(), kRequest.data(), kRequest.size(), MSG_NOSIGNAL);
        CHECK(server.rest(client).starts_with("HTTP/1.0 200"));
    }
}

TEST_CASE("a connection is closed after a second") {
    Server server;
    const os::UniqueFd silent = server.connect();
    server.turn(kSecond);
    char byte = 0;
    server.turn(kSecond + HttpListener::kPatienceNs - 1);
    CHECK(recv(silent.get(), &byte, 1, MSG_DONTWAIT) < 0);
    server.turn(kSecond + HttpListener::kPatienceNs);
    CHECK(recv(silent.get(), &byte, 1, MSG_DONTWAIT) == 0);
}

TEST_CASE("health: processes without events are a fault, a quiet machine is none") {
    app::Health health;
    using Counts = app::Health::Counts;
    CHECK_FALSE(health.unseen(1000, Counts{50, 0})); // the first tells nothing
    CHECK_FALSE(health.unseen(1000, Counts{50, 0}));
    CHECK_FALSE(health.unseen(1000 + app::Health::kUnderWay, Counts{50, 0}));
    CHECK(health.unseen(1100, Counts{50, 0}) == 100U);
    CHECK(health.unseen(1200, Counts{50, 0}) == 200U);
    CHECK_FALSE(health.unseen(1300, Counts{51, 0})); // they come again
    CHECK_FALSE(health.unseen(1301, Counts{51, 0}));
}

TEST_CASE("health: the share of drops is that of the last seconds") {
    app::Health health;
    CHECK(health.drop_share() == 0);
    health.second({.events = 100, .drops = 0});
    CHECK(health.drop_share() == 0);
    health.second({.events = 100, .drops = 300}); // only drops: no sign of life
    CHECK(health.drop_share() == doctest::Approx(0.75));
    for (std::size_t i = 0; i < app::Health::kSeconds; ++i)
        health.second({.events = 200, .drops = 300});
    CHECK(health.drop_share() == 0); // they are long ago
}

TEST_CASE("health: rates are those of the last seconds, and leave out what came before the first") {
    app::Health health;
    CHECK(health.rates().events == 0);
    health.second({.events = 1'000'000, .drops = 500});
    CHECK(health.rates().events == 0);
    health.second({.events = 1'000'300, .drops = 500});
    CHECK(health.rates().events == 300);
    for (std::uint64_t i = 1; i <= 3 * app::Health::kSeconds; ++i) {
        health.second({.events = 1'000'300 + i * 20, .drops = 500 + i});
        if (i > app::Health::kSeconds) {
            CHECK(health.rates().events == 20);
            CHECK(health.rates().drops == 1);
        }
    }
}
