// SPDX-License-Identifier: Apache-2.0
//
// HttpListener: answers GET and HEAD on a listening socket that the service manager passed
// (LISTEN_FDS). It speaks HTTP/1.0: one request a connection, of at most 2 KiB. Other requests are
// refused. Any local user may connect, so that no client may keep another from its answer:
//
//   - 32 connections are held at a time, each for one second.
//   - If all are taken, the oldest one that has not sent a whole request gives way to a new one.
//
// Inside the sandbox it needs accept4(2), read(2), write(2) and close(2).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/os/result.h"
#include "shared/os/unique_fd.h"

namespace tiercel::app {

class HttpListener {
  public:
    struct Answer {
        int status = 200; // 200, 401, 404, 503
        std::string_view type = "text/plain; charset=utf-8";
        std::string body;
    };
    struct Request {
        std::string_view path;   // without its query
        std::string_view bearer; // the token of "Authorization: Bearer"; "" if there is none
    };
    // The request is valid during the call.
    using Answers = std::function<Answer(const Request&)>;

    static constexpr std::size_t kConnections = 32;
    static constexpr std::uint64_t kPatienceNs = 1'000'000'000;

    // Takes ownership of the socket. on_ready() calls `answers`.
    static os::Result<HttpListener> take(os::UniqueFd socket, Answers answers);

    // Returns an fd that is readable when on_ready() has something to do. The listener keeps it.
    const os::UniqueFd& ready() const { return set_; }
    // Accepts connections, reads and answers as far as possible without waiting, and closes the
    // connections whose time is over. `now_ns`: CLOCK_MONOTONIC. Call it once a second, too.
    void on_ready(std::uint64_t now_ns);

  private:
    struct Connection {
        os::UniqueFd socket;
        std::uint64_t since_ns = 0;
        std::string request, reply;
        std::size_t written = 0;
    };

    HttpListener(os::UniqueFd set, os::UniqueFd socket, Answers answers)
        : set_(std::move(set)), socket_(std::move(socket)), answers_(std::move(answers)) {}
    void accept(std::uint64_t now_ns);
    Connection& place_for_new();
    void serve(Connection& connection);
    bool read(Connection& connection);
    std::string reply_to(std::string_view request) const;

    os::UniqueFd set_, socket_;
    Answers answers_;
    std::vector<Connection> connections_{kConnections};
};

// Returns the socket that the service manager passed (sd_listen_fds(3)), or an invalid fd if it
// passed none. More than one socket, or one that is no listening stream socket, is an error.
// Removes LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES from the environment.
os::Result<os::UniqueFd> inherited_listener();

} // namespace tiercel::app
