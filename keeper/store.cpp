// SPDX-License-Identifier: Apache-2.0
//
// Implements the keeper's store and its conversation with one analyzer.
#include "keeper/store.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "shared/os/received_rights.h"
#include "shared/os/rights.h"

namespace tiercel::keeper {

namespace {

constexpr std::size_t kLongestMessage = 512;

// Returns the value of the line that begins with `key`; an empty text if there is none.
std::string_view value_of(std::string_view message, std::string_view key) {
    while (!message.empty()) {
        std::string_view line = message.substr(0, message.find('\n'));
        if (line.starts_with(key))
            return line.substr(key.size());
        message.remove_prefix(std::min(message.size(), line.size() + 1));
    }
    return {};
}

// Sends one record, with `fd` unless it is -1.
os::Result<void> send(const os::UniqueFd& peer, const char* text, std::size_t bytes, int fd) {
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof fd)] = {};
    iovec part{const_cast<char*>(text), bytes};
    msghdr message{nullptr, 0, &part, 1, control, fd >= 0 ? CMSG_LEN(sizeof fd) : 0, 0};
    if (fd >= 0)
        os::attach_fds(message, {&fd, 1});
    ssize_t sent = 0;
    do
        sent = sendmsg(peer.get(), &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    if (sent < 0)
        return os::error("give the analyzer", "what is kept");
    return {};
}

} // namespace

bool Store::add(std::string_view name, os::UniqueFd fd) {
    if (name.empty() || name.size() > kLongestName || used_ == kMost || !fd.valid())
        return false;
    Kept& kept = kept_[used_];
    std::memcpy(kept.name, name.data(), name.size());
    kept.name[name.size()] = '\0';
    kept.fd = std::move(fd);
    ++used_;
    return true;
}

void Store::remove(std::string_view name) {
    std::size_t left = 0;
    for (std::size_t i = 0; i < used_; ++i) {
        if (name == kept_[i].name) {
            kept_[i].fd.reset();
            continue;
        }
        if (left != i)
            kept_[left] = std::move(kept_[i]);
        ++left;
    }
    used_ = left;
}

os::Result<void> Store::give(const os::UniqueFd& peer) const {
    for (std::size_t i = 0; i < used_; ++i) {
        char text[kLongestName + 16];
        int bytes = snprintf(text, sizeof text, "FDNAME=%s", kept_[i].name);
        auto sent = send(peer, text, static_cast<std::size_t>(bytes), kept_[i].fd.get());
        if (!sent)
            return sent;
    }
    constexpr std::string_view kEnd = "READY=1";
    return send(peer, kEnd.data(), kEnd.size(), -1);
}

void Store::take(std::string_view message, os::UniqueFd* fds, std::size_t count) {
    std::string_view name = value_of(message, "FDNAME=");
    if (value_of(message, "FDSTORE=") == "1")
        for (std::size_t i = 0; i < count; ++i)
            add(name, std::move(fds[i]));
    else if (value_of(message, "FDSTOREREMOVE=") == "1")
        remove(name);
}

os::Result<void> serve(Store& store, const os::UniqueFd& peer) {
    if (auto given = store.give(peer); !given)
        return given;
    for (;;) {
        alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kMostAtOnce)];
        char text[kLongestMessage];
        iovec part{text, sizeof text};
        msghdr message{nullptr, 0, &part, 1, control, sizeof control, 0};
        ssize_t got = recvmsg(peer.get(), &message, MSG_CMSG_CLOEXEC);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno != ECONNRESET)
            return os::error("receive", "what the analyzer gives");
        if (got <= 0)
            return {};
        os::UniqueFd fds[kMostAtOnce];
        store.take({text, static_cast<std::size_t>(got)}, fds, os::take_fds(message, fds));
    }
}

} // namespace tiercel::keeper
