// SPDX-License-Identifier: Apache-2.0
#include "analyzer/service/passed_fds.h"

#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "shared/os/inherited.h"
#include "shared/os/received_rights.h"

namespace tiercel::app {

namespace {

std::string& names() {
    static std::string all;
    return all;
}

struct Passed {
    std::string name;
    int fd;
    bool taken;
};

// Names that are missing are empty.
std::vector<Passed> list() {
    std::vector<Passed> made;
    std::string_view rest = names();
    for (int i = 0; i < os::inherited().listen_fds; ++i) {
        const std::string_view name = rest.substr(0, rest.find(':'));
        made.push_back({std::string(name), os::kFirstPassedFd + i, false});
        rest.remove_prefix(std::min(rest.size(), name.size() + 1));
    }
    return made;
}

std::vector<Passed>& passed() {
    static std::vector<Passed> all = list();
    return all;
}

constexpr std::size_t kMostReceived = 4096; // twice what a keeper holds

} // namespace

void note_passed_names() {
    const char* given = std::getenv("LISTEN_FDNAMES");
    names() = given != nullptr ? given : "";
}

std::vector<PassedFd> take_passed(std::string_view prefix) {
    std::vector<PassedFd> made;
    for (Passed& each : passed())
        if (each.name.starts_with(prefix) && !std::exchange(each.taken, true))
            made.push_back({each.name.substr(prefix.size()), os::UniqueFd(each.fd)});
    return made;
}

os::Result<void> receive_passed(const os::UniqueFd& keeper) {
    constexpr std::string_view kName = "FDNAME=", kEnd = "READY=1";
    const timeval patience{.tv_sec = 5, .tv_usec = 0};
    setsockopt(keeper.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    for (std::size_t i = 0; i < kMostReceived; ++i) {
        std::array<char, 256> bytes{};
        alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
        iovec part{bytes.data(), bytes.size()};
        msghdr message{nullptr, 0, &part, 1, control, CMSG_LEN(sizeof(int)), 0};
        const ssize_t got = recvmsg(keeper.get(), &message, MSG_CMSG_CLOEXEC);
        if (got <= 0)
            return os::error("receive", "what the keeper has kept", got < 0 ? errno : ECONNRESET);
        const std::string_view text(bytes.data(), static_cast<std::size_t>(got));
        if (text == kEnd)
            return {};
        os::UniqueFd fd;
        if (os::take_fds(message, {&fd, 1}) != 1 || !text.starts_with(kName))
            break;
        passed().push_back({std::string(text.substr(kName.size())), fd.release(), false});
    }
    return os::error("receive", "what the keeper has kept: it sent something else", EBADMSG);
}

std::vector<int> passed_sockets() {
    std::vector<int> made;
    for (const Passed& each : passed())
        if (!each.name.starts_with(kStoredPrefix))
            made.push_back(each.fd);
    return made;
}

} // namespace tiercel::app
