// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "analyzer/service/notify.h"
#include "shared/os/clock.h"

using namespace tiercel;
using app::Notify;

namespace {

// A service manager that hears what is said; at an abstract name, which leaves nothing behind.
struct Manager {
    os::UniqueFd socket{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    std::string name = "@tiercel-notify-test-" + std::to_string(getpid());

    Manager() {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        name.copy(address.sun_path + 1, name.size() - 1, 1);
        const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
        REQUIRE(bind(socket.get(), reinterpret_cast<sockaddr*>(&address), length) == 0);
        setenv("NOTIFY_SOCKET", name.c_str(), 1);
    }
    // The next datagram; empty when there is none.
    [[nodiscard]] std::string heard() const {
        char text[256];
        const ssize_t got = recv(socket.get(), text, sizeof text, MSG_DONTWAIT);
        return got > 0 ? std::string(text, static_cast<std::size_t>(got)) : "";
    }
};

} // namespace

TEST_CASE("without a service manager nothing is said and nothing fails") {
    unsetenv("NOTIFY_SOCKET");
    auto notify = Notify::from_environment();
    REQUIRE(notify);
    notify->ready("watching");
    notify->alive(1);
    notify->stopping();
}

TEST_CASE("the manager hears that the analyzer is ready, lives and ends") {
    const Manager manager;
    setenv("WATCHDOG_USEC", "10000000", 1);
    setenv("WATCHDOG_PID", std::to_string(getpid()).c_str(), 1);
    auto notify = Notify::from_environment();
    REQUIRE(notify);
    CHECK(std::getenv("NOTIFY_SOCKET") == nullptr);
    CHECK(std::getenv("WATCHDOG_USEC") == nullptr);
    CHECK(std::getenv("WATCHDOG_PID") == nullptr);
    notify->starting("loading");
    CHECK(manager.heard() == "EXTEND_TIMEOUT_USEC=120000000\nSTATUS=loading");
    notify->ready("watching");
    CHECK(manager.heard() == "READY=1\nSTATUS=watching");

    constexpr std::uint64_t kSecond = 1'000'000'000;
    notify->alive(100 * kSecond);
    CHECK(manager.heard() == "WATCHDOG=1");
    notify->alive(104 * kSecond);
    CHECK(manager.heard().empty());
    notify->alive(105 * kSecond);
    CHECK(manager.heard() == "WATCHDOG=1");
    notify->status("reading");
    CHECK(manager.heard() == "STATUS=reading");
    notify->stopping();
    CHECK(manager.heard() == "STOPPING=1");
}

TEST_CASE("a watchdog that is off or meant for another process is not fed") {
    const Manager manager;
    SUBCASE("off") {}
    SUBCASE("another's") {
        setenv("WATCHDOG_USEC", "10000000", 1);
        setenv("WATCHDOG_PID", "1", 1);
    }
    SUBCASE("no number") {
        setenv("WATCHDOG_USEC", "often", 1);
    }
    auto notify = Notify::from_environment();
    REQUIRE(notify);
    notify->alive(1);
    CHECK(manager.heard().empty());
}

TEST_CASE("the manager is given descriptors to keep, and takes them from a full queue") {
    const Manager manager;
    auto notify = Notify::from_environment();
    REQUIRE(notify);
    CHECK(notify->has_manager());
    const auto soon = os::now_ns(CLOCK_MONOTONIC) + 100'000'000;
    const int fds[] = {STDIN_FILENO, STDERR_FILENO};
    REQUIRE(notify->store("kept-x", fds, soon));
    char text[256], control[CMSG_SPACE(sizeof fds)];
    iovec part{text, sizeof text};
    msghdr message{nullptr, 0, &part, 1, control, sizeof control, 0};
    const ssize_t got = recvmsg(manager.socket.get(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    REQUIRE(got > 0);
    CHECK(std::string(text, static_cast<std::size_t>(got)) == "FDSTORE=1\nFDPOLL=0\nFDNAME=kept-x");
    const cmsghdr* rights = CMSG_FIRSTHDR(&message);
    REQUIRE(rights != nullptr);
    CHECK(rights->cmsg_len == CMSG_LEN(sizeof fds));
    notify->forget("kept-x", soon);
    CHECK(manager.heard() == "FDSTOREREMOVE=1\nFDNAME=kept-x");
    os::Result<void> stored = {};
    for (int i = 0; stored && i < 10'000; ++i)
        stored = notify->store("kept-x", fds, os::now_ns(CLOCK_MONOTONIC) + 50'000'000);
    REQUIRE_FALSE(stored);
    CHECK(stored.error().number == ETIMEDOUT);
}

TEST_CASE("a manager that does not listen does not stop the analyzer") {
    const Manager manager;
    auto notify = Notify::from_environment();
    REQUIRE(notify);
    for (int i = 0; i < 10'000; ++i) // far more than the socket's queue holds
        notify->stopping();
    CHECK(manager.heard() == "STOPPING=1");
}

TEST_CASE("a notification socket that is not there or has no sensible name is an error") {
    setenv("NOTIFY_SOCKET", "relative", 1);
    CHECK_FALSE(Notify::from_environment());
    setenv("NOTIFY_SOCKET", ("/" + std::string(200, 'x')).c_str(), 1);
    CHECK_FALSE(Notify::from_environment());
    setenv("NOTIFY_SOCKET", "/nonexistent/notify", 1);
    CHECK_FALSE(Notify::from_environment());
}
