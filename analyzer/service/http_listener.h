// SPDX-License-Identifier: Apache-2.0
//
// HttpListener: answers GET on a listening socket that was opened by somebody else (systemd's
// LISTEN_FDS) or before the sandbox. Made for a scraper and a probe on a trusted network: HTTP/1.0,
// one request a connection, four at a time, of at most 2 KiB; whatever else comes is refused or
// dropped. Inside the sandbox it takes accept4(2), read(2), write(2) and close(2).
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "shared/os/result.h"
#include "shared/os/unique_fd.h"

namespace tiercel::app {

class HttpListener {
  public:
    struct Answer {
        int status = 200; // 200, 404, 503
        std::string_view type = "text/plain; charset=utf-8";
        std::string body;
    };
    // `path` is without a query.
    using Answers = std::function<Answer(std::string_view path)>;

    // The socket is owned from now on. `answers` is called by on_ready().
    static os::Result<HttpListener> take(os::UniqueFd socket, Answers answers);

    // Readable when on_ready() has something to do: to be waited for. Lent.
    const os::UniqueFd& ready() const { return set_; }
    // Takes connections, reads and answers as far as it goes without waiting. `now_ns`:
    // CLOCK_MONOTONIC; a connection that is older than five seconds gives way to a new one.
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
    void serve(Connection& connection);
    bool read(Connection& connection);
    std::string reply_to(std::string_view request) const;

    os::UniqueFd set_, socket_;
    Answers answers_;
    std::array<Connection, 4> connections_;
};

// The socket that a service manager passed (sd_listen_fds(3)); an invalid fd: none was. An error:
// more than one, or no listening stream socket. Takes LISTEN_PID and LISTEN_FDS out of the
// environment.
os::Result<os::UniqueFd> inherited_listener();

} // namespace tiercel::app
