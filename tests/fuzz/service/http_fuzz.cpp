// SPDX-License-Identifier: Apache-2.0
//
// Fuzz target: any bytes as what a client sends to the metrics listener, in one piece or in two.
// What the listener answers must begin as HTTP, and the next client must be served all the same.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

#include "analyzer/service/http_listener.h"

using namespace tiercel;

namespace {

// A listening socket in the abstract namespace, and its address.
struct Server {
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    socklen_t length = 0;
    app::HttpListener listener;

    static Server make() {
        os::UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_un any{.sun_family = AF_UNIX, .sun_path = {}};
        socklen_t length = sizeof any;
        // bind(2) with nothing but the family chooses a free abstract name (unix(7), autobind).
        if (bind(socket.get(), reinterpret_cast<sockaddr*>(&any), sizeof any.sun_family) != 0 ||
            listen(socket.get(), 8) != 0 ||
            getsockname(socket.get(), reinterpret_cast<sockaddr*>(&any), &length) != 0)
            abort();
        auto listener = app::HttpListener::take(std::move(socket), [](const auto& request) {
            return app::HttpListener::Answer{.status = request.path == "/metrics" ? 200 : 404,
                                             .body = std::string(request.path) +
                                                     std::string(request.bearer)};
        });
        if (!listener)
            abort();
        return {any, length, *std::move(listener)};
    }
};

std::string read_all(const os::UniqueFd& client) {
    std::string all;
    char part[512];
    for (ssize_t got = 0; (got = read(client.get(), part, sizeof part)) > 0;)
        all.append(part, static_cast<std::size_t>(got));
    return all;
}

// Sends the text in two pieces and returns the answer. `now_ns` advances, so old clients give way.
std::string ask(Server& server, std::string_view text, std::size_t first, std::uint64_t& now_ns) {
    const os::UniqueFd client(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (connect(client.get(), reinterpret_cast<const sockaddr*>(&server.address), server.length) !=
        0)
        abort();
    now_ns += 10'000'000'000;
    server.listener.on_ready(now_ns);
    for (const std::string_view piece : {text.substr(0, first), text.substr(first)}) {
        send(client.get(), piece.data(), piece.size(), MSG_NOSIGNAL);
        server.listener.on_ready(now_ns);
    }
    shutdown(client.get(), SHUT_WR);
    server.listener.on_ready(now_ns);
    return read_all(client);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static Server server = Server::make();
    static std::uint64_t now_ns = 0;
    if (size == 0)
        return 0;
    const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
    const std::string answer = ask(server, text, text.empty() ? 0 : data[0] % text.size(), now_ns);
    if (!answer.empty() && !answer.starts_with("HTTP/1.0 "))
        abort();
    if (!ask(server, "GET /metrics HTTP/1.0\r\n\r\n", 9, now_ns).starts_with("HTTP/1.0 200 "))
        abort();
    return 0;
}
