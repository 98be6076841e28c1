// SPDX-License-Identifier: Apache-2.0
//
// HttpReceiver: a server that takes alerts by HTTP/1.1 on a port of 127.0.0.1, and notes whether
// they come in order. It answers each request with 200 and Elasticsearch's `"errors":false`.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <thread>

#include "shared/os/unique_fd.h"

namespace tiercel::bench {

class HttpReceiver {
  public:
    // Exits the bench if it cannot listen.
    HttpReceiver();
    ~HttpReceiver();
    HttpReceiver(const HttpReceiver&) = delete;
    HttpReceiver& operator=(const HttpReceiver&) = delete;

    std::uint16_t port() const { return port_; }
    // Alerts that have come, without repetitions.
    std::uint64_t alerts() const { return next_; }
    std::uint64_t requests() const { return requests_; }
    // Alerts whose number was not the next one.
    std::uint64_t disorder() const { return disorder_; }

    // What stands before the number of each alert. The numbers begin with 0.
    static constexpr std::string_view kMark = "\"n\":";

  private:
    void serve();
    void serve_connection(const os::UniqueFd& connection);
    // Takes the request at the beginning of `bytes`. Returns its length; 0 if it is not whole yet.
    std::size_t take_request(std::string_view bytes);

    os::UniqueFd listener_;
    std::uint16_t port_ = 0;
    std::atomic<std::uint64_t> next_ = 0, requests_ = 0, disorder_ = 0;
    std::atomic<bool> end_ = false;
    std::thread thread_;
};

} // namespace tiercel::bench
