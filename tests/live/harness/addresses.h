// SPDX-License-Identifier: Apache-2.0
//
// Socket addresses as tests write them: for system calls, and as the bytes that events hold.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>

#include "tests/live/harness/want.h"

namespace tiercel::live {

struct Ip4 {
    const char* address;
    unsigned port;

    [[nodiscard]] sockaddr_in for_call() const {
        sockaddr_in a{};
        a.sin_family = AF_INET;
        a.sin_port = htons(static_cast<std::uint16_t>(port));
        inet_pton(AF_INET, address, &a.sin_addr);
        return a;
    }
    // The address in network byte order, the port in the host's.
    [[nodiscard]] std::string bytes() const {
        const sockaddr_in a = for_call();
        const auto host_port = static_cast<std::uint16_t>(port);
        return std::string(reinterpret_cast<const char*>(&a.sin_addr), 4) +
               std::string(reinterpret_cast<const char*>(&host_port), 2);
    }
    static constexpr char kFamily = 2;
};

struct Ip6 {
    const char* address;
    unsigned port;

    [[nodiscard]] sockaddr_in6 for_call() const {
        sockaddr_in6 a{};
        a.sin6_family = AF_INET6;
        a.sin6_port = htons(static_cast<std::uint16_t>(port));
        inet_pton(AF_INET6, address, &a.sin6_addr);
        return a;
    }
    [[nodiscard]] std::string bytes() const {
        const sockaddr_in6 a = for_call();
        const auto host_port = static_cast<std::uint16_t>(port);
        return std::string(reinterpret_cast<const char*>(&a.sin6_addr), 16) +
               std::string(reinterpret_cast<const char*>(&host_port), 2);
    }
    static constexpr char kFamily = 10;
};

inline sockaddr_un
unix_for_call(std::string_view path) { // a path that starts with a NUL is abstract
    sockaddr_un a{};
    a.sun_family = AF_UNIX;
    std::memcpy(a.sun_path, path.data(), path.size());
    return a;
}

template <typename Ip>
Raw address(const Ip& ip) {
    return {std::string(1, Ip::kFamily) + ip.bytes()};
}
inline Raw unix_address(std::string path) {
    return {std::string(1, AF_UNIX) + path + '\0'};
}

template <typename Ip>
Raw tuple(const Ip& source, const Ip& destination) {
    return {std::string(1, Ip::kFamily) + source.bytes() + destination.bytes()};
}

// Two kernel addresses, which the test cannot know, and a path. `both`: else the first may be 0.
inline TextCondition unix_tuple(std::string path, bool both = true) {
    return {"a Unix tuple with two kernel addresses and " + path,
            [path, both](std::string_view got) {
                std::uint64_t ends[2];
                if (got.size() != 17 + path.size() + 1 || got[0] != AF_UNIX ||
                    got.substr(17) != path + '\0')
                    return false;
                std::memcpy(ends, got.data() + 1, sizeof ends);
                return (ends[0] != 0 || !both) && ends[1] != 0 && ends[0] != ends[1];
            }};
}

} // namespace tiercel::live
