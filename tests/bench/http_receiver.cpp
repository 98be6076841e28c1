// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/http_receiver.h"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <charconv>
#include <cstdlib>

namespace tiercel::bench {

namespace {

constexpr std::size_t kReadAtOnce = 256 << 10;
constexpr std::string_view kAnswer =
    "HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n{\"errors\":false}";
constexpr std::string_view kEndOfHead = "\r\n\r\n", kLength = "Content-Length: ";

// Returns the number at the beginning of the text; 0 if there is none.
std::uint64_t number_at(std::string_view text) {
    std::uint64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

} // namespace

HttpReceiver::HttpReceiver() : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto* any = reinterpret_cast<sockaddr*>(&address);
    if (bind(listener_.get(), any, length) != 0 || listen(listener_.get(), 16) != 0 ||
        getsockname(listener_.get(), any, &length) != 0) {
        fmt::print(stderr, "bench: cannot listen on 127.0.0.1\n");
        std::exit(1);
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
}

HttpReceiver::~HttpReceiver() {
    end_ = true;
    shutdown(listener_.get(), SHUT_RDWR); // ends accept4()
    thread_.join();
}

// One connection after the other, because the courier has one for each destination.
void HttpReceiver::serve() {
    while (!end_) {
        const os::UniqueFd connection(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (!connection.valid())
            return;
        const int on = 1;
        setsockopt(connection.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        serve_connection(connection);
    }
}

void HttpReceiver::serve_connection(const os::UniqueFd& connection) {
    std::string bytes;
    for (;;) {
        const std::size_t have = bytes.size();
        bytes.resize(have + kReadAtOnce);
        const ssize_t got = recv(connection.get(), bytes.data() + have, kReadAtOnce, 0);
        if (got <= 0)
            return;
        bytes.resize(have + static_cast<std::size_t>(got));
        while (const std::size_t length = take_request(bytes)) {
            bytes.erase(0, length);
            if (send(connection.get(), kAnswer.data(), kAnswer.size(), MSG_NOSIGNAL) < 0)
                return;
        }
    }
}

std::size_t HttpReceiver::take_request(std::string_view bytes) {
    const std::size_t head = bytes.find(kEndOfHead);
    const std::size_t at = bytes.substr(0, head).find(kLength);
    if (head == std::string_view::npos || at == std::string_view::npos)
        return 0;
    const std::size_t begin = head + kEndOfHead.size();
    const std::size_t length = begin + number_at(bytes.substr(at + kLength.size()));
    if (bytes.size() < length)
        return 0;
    std::string_view body = bytes.substr(begin, length - begin);
    for (std::size_t mark; (mark = body.find(kMark)) != std::string_view::npos;) {
        body.remove_prefix(mark + kMark.size());
        const std::uint64_t number = number_at(body);
        if (number == next_)
            ++next_;
        else
            ++disorder_;
    }
    ++requests_;
    return length;
}

} // namespace tiercel::bench
