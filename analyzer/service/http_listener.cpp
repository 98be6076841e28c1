// SPDX-License-Identifier: Apache-2.0
//
// The connections of metrics clients: accepting, reading, answering, and making room.
#include "analyzer/service/http_listener.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "analyzer/service/passed_fds.h"

namespace tiercel::app {

namespace {

constexpr std::size_t kMostRequest = 2048;
constexpr int kMostAccepted = 256; // at once

bool watch(const os::UniqueFd& set, const os::UniqueFd& fd, std::uint32_t events) {
    epoll_event interest{.events = events, .data = {.fd = fd.get()}};
    return epoll_ctl(set.get(), EPOLL_CTL_ADD, fd.get(), &interest) == 0;
}

bool would_block() {
    return errno == EAGAIN || errno == EINTR;
}

std::string_view reason(int status) {
    switch (status) {
    case 200: return "OK";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    default: return "Service Unavailable";
    }
}

// The answer to HEAD has the body's length, but no body (RFC 9110 9.3.2).
std::string format(const HttpListener::Answer& answer, bool is_head) {
    return fmt::format("HTTP/1.0 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\n"
                       "{}Connection: close\r\n\r\n{}",
                       answer.status, reason(answer.status), answer.type, answer.body.size(),
                       answer.status == 401 ? "WWW-Authenticate: Bearer\r\n" : "",
                       is_head ? std::string_view() : std::string_view(answer.body));
}

bool starts_with_any_case(std::string_view text, std::string_view lower) {
    return text.size() >= lower.size() &&
           std::equal(lower.begin(), lower.end(), text.begin(), [](char ours, char theirs) {
               return ours == (theirs >= 'A' && theirs <= 'Z' ? theirs - 'A' + 'a' : theirs);
           });
}

// Returns the token of the first Authorization header (RFC 6750 2.1), or "".
std::string_view find_bearer(std::string_view headers) {
    constexpr std::string_view kHeader = "authorization:", kScheme = "bearer ";
    while (!headers.empty()) {
        std::string_view line = headers.substr(0, headers.find("\r\n"));
        headers.remove_prefix(std::min(headers.size(), line.size() + 2));
        if (!starts_with_any_case(line, kHeader))
            continue;
        line.remove_prefix(kHeader.size());
        line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
        return starts_with_any_case(line, kScheme) ? line.substr(kScheme.size())
                                                   : std::string_view();
    }
    return {};
}

} // namespace

os::Result<HttpListener> HttpListener::take(os::UniqueFd socket, Answers answers) {
    os::UniqueFd set(epoll_create1(EPOLL_CLOEXEC));
    if (!set.valid())
        return os::error("wait for", "readers of the metrics");
    const int flags = fcntl(socket.get(), F_GETFL);
    if (flags < 0 || fcntl(socket.get(), F_SETFL, flags | O_NONBLOCK) != 0 ||
        !watch(set, socket, EPOLLIN))
        return os::error("listen on", "the socket for metrics");
    return HttpListener(std::move(set), std::move(socket), std::move(answers));
}

void HttpListener::on_ready(std::uint64_t now_ns) {
    for (Connection& each : connections_)
        if (each.socket.valid() && now_ns - each.since_ns >= kPatienceNs)
            each = {};
    std::array<epoll_event, kConnections + 1> events{};
    const int count = epoll_wait(set_.get(), events.data(), static_cast<int>(events.size()), 0);
    bool is_waiting = false;
    for (int i = 0; i < count; ++i) {
        const int fd = events[static_cast<std::size_t>(i)].data.fd;
        is_waiting |= fd == socket_.get();
        const auto found = std::ranges::find_if(
            connections_, [fd](const Connection& each) { return each.socket.get() == fd; });
        if (found != connections_.end())
            serve(*found);
    }
    if (is_waiting)
        accept(now_ns);
}

// Accepts what waits, but no more than some at once, so that a client that only connects cannot
// keep the loop here.
void HttpListener::accept(std::uint64_t now_ns) {
    for (int i = 0; i < kMostAccepted; ++i) {
        os::UniqueFd socket(accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
        if (!socket.valid())
            return;
        Connection& place = place_for_new();
        place = {.socket = std::move(socket), .since_ns = now_ns, .request = {}, .reply = {}};
        if (!watch(set_, place.socket, EPOLLIN | EPOLLOUT | EPOLLET))
            place = {};
        else
            serve(place); // the request has often come already
    }
}

// Returns a free place, or the one of the oldest connection without a whole request, or the oldest.
HttpListener::Connection& HttpListener::place_for_new() {
    return *std::ranges::min_element(connections_, {}, [](const Connection& each) {
        const bool is_answered = !each.reply.empty();
        return each.socket.valid() ? std::pair(is_answered, each.since_ns)
                                   : std::pair(false, std::uint64_t{0});
    });
}

void HttpListener::serve(Connection& connection) {
    if (connection.reply.empty() && !read(connection))
        return;
    while (connection.written < connection.reply.size()) {
        const std::string_view rest = std::string_view(connection.reply).substr(connection.written);
        const ssize_t wrote = write(connection.socket.get(), rest.data(), rest.size());
        if (wrote < 0 && would_block())
            return;
        if (wrote <= 0)
            break;
        connection.written += static_cast<std::size_t>(wrote);
    }
    connection = {};
}

// Returns true if the request is whole, so that there is a reply.
bool HttpListener::read(Connection& connection) {
    std::array<char, kMostRequest> part{};
    for (;;) {
        const ssize_t got = ::read(connection.socket.get(), part.data(), part.size());
        if (got < 0 && would_block())
            return false;
        if (got <= 0) {
            connection = {};
            return false;
        }
        connection.request.append(part.data(), static_cast<std::size_t>(got));
        if (connection.request.find("\r\n\r\n") != std::string::npos) {
            connection.reply = reply_to(connection.request);
            return true;
        }
        if (connection.request.size() > kMostRequest) {
            connection.reply = format({.status = 400, .body = "The request is too long.\n"}, false);
            return true;
        }
    }
}

std::string HttpListener::reply_to(std::string_view request) const {
    const std::string_view line = request.substr(0, request.find("\r\n"));
    const std::size_t begin = line.starts_with("HEAD /") ? 5 : 4, end = line.rfind(' ');
    const bool is_head = begin == 5;
    if (!is_head && !line.starts_with("GET /"))
        return format({.status = 405, .body = "Only GET and HEAD are possible.\n"}, false);
    if (end < begin || !line.substr(end).starts_with(" HTTP/1."))
        return format({.status = 400, .body = "This is not an HTTP request.\n"}, is_head);
    const std::string_view target = line.substr(begin, end - begin);
    return format(answers_({.path = target.substr(0, target.find('?')),
                            .bearer = find_bearer(request.substr(line.size()))}),
                  is_head);
}

os::Result<os::UniqueFd> inherited_listener() {
    const std::vector<int> passed = passed_sockets();
    if (passed.empty())
        return os::UniqueFd();
    int listening = 0, type = 0;
    socklen_t length = sizeof listening, type_length = sizeof type;
    if (passed.size() != 1 ||
        getsockopt(passed[0], SOL_SOCKET, SO_ACCEPTCONN, &listening, &length) != 0 ||
        getsockopt(passed[0], SOL_SOCKET, SO_TYPE, &type, &type_length) != 0 || listening == 0 ||
        type != SOCK_STREAM)
        return os::error("serve metrics", "LISTEN_FDS is not one listening stream socket", 0);
    return os::UniqueFd(passed[0]);
}

} // namespace tiercel::app
