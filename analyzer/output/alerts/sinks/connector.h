// SPDX-License-Identifier: Apache-2.0
//
// Connector: connects to one Unix socket again after the sandbox is entered, which forbids
// socket(2). A child process that can do nothing else makes the connection and passes it on.
#pragma once

#include <sys/socket.h>

#include <string>

#include "shared/os/result.h"
#include "shared/os/unique_fd.h"

namespace tiercel::alerts {

class Connector {
  public:
    // Forks the child process; call before any thread is started. `type` is SOCK_STREAM or
    // SOCK_DGRAM.
    static os::Result<Connector> start(const std::string& path, int type);

    // Returns a new connection, or the error of connect(2). Sends and receives on it fail with
    // EAGAIN after a second. Waits for the child, but not longer than two seconds (ETIMEDOUT).
    os::Result<os::UniqueFd> connect() { return connect(0); }
    // The same without waiting: ETIMEDOUT says to call again later.
    os::Result<os::UniqueFd> connect_now() { return connect(MSG_DONTWAIT); }

  private:
    os::Result<os::UniqueFd> connect(int flags); // of recvmsg(2)
    Connector(os::UniqueFd child, std::string path)
        : child_(std::move(child)), path_(std::move(path)) {}
    os::UniqueFd child_;
    std::string path_;
    bool asked_ = false; // an answer is still to come
};

} // namespace tiercel::alerts
