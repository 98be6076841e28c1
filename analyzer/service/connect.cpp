// SPDX-License-Identifier: Apache-2.0
#include "analyzer/service/connect.h"

#include <cerrno>
#include <chrono>
#include <thread>

#include "shared/wire/client.h"

namespace tiercel::app {

os::Result<os::UniqueFd> connect_patiently(const char* path) {
    constexpr std::chrono::milliseconds kPatience{3000}, kPause{50};
    for (auto waited = kPause; waited < kPatience; waited += kPause) {
        auto socket = wire::client::connect_to(path);
        if (socket || (socket.error().number != ENOENT && socket.error().number != ECONNREFUSED))
            return socket;
        std::this_thread::sleep_for(kPause);
    }
    return wire::client::connect_to(path);
}

} // namespace tiercel::app
