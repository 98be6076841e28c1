// SPDX-License-Identifier: Apache-2.0
//
// HttpClient: posts bodies to one URL, over one connection that is made when it is needed. libcurl
// has the protocols: HTTP/1.1, HTTP/2, TLS, proxies.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "courier/delivery/destination.h"

namespace tiercel::courier {

class HttpClient {
  public:
    // Returns what is wrong with the options of this destination; empty: nothing.
    static std::string check(const Options& options);
    explicit HttpClient(const Options& options);
    ~HttpClient();
    HttpClient(const HttpClient&) = delete;
    HttpClient& operator=(const HttpClient&) = delete;

    struct Answer {
        long status = 0;   // of HTTP; 0: there is no answer
        std::string error; // why there is none
        std::string body;  // cut at 1 MiB
    };
    // Posts `body` to the URL with `suffix` behind it. `headers` are "Name: value".
    Answer post(const std::string& body, const std::string& suffix,
                const std::vector<std::string>& headers);

    // Says how an attempt to send `records` ended for receivers that take all of a request or
    // nothing.
    static Sent judge(const Answer& answer, std::size_t records);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

// Makes a destination that posts by HTTP, or says what is wrong with its options.
template <typename Client>
Made make_http_based(const Options& options) {
    if (std::string wrong = HttpClient::check(options); !wrong.empty())
        return {nullptr, std::move(wrong)};
    return {std::make_unique<Client>(options), ""};
}

} // namespace tiercel::courier
