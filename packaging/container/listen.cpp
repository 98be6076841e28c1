// SPDX-License-Identifier: Apache-2.0
//
// tiercel-listen: where no service manager runs, makes the listening socket of the metrics and
// becomes the analyzer, which inherits the socket as from systemd (sd_listen_fds(3)), because its
// sandbox lets it make none.
//
// Usage: tiercel-listen PORT -- PROGRAM [ARGUMENT]...
// Exit codes: those of the program; 1 failure, 2 usage.
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

namespace {

constexpr int kFirstPassed = 3; // sd_listen_fds(3)
constexpr int kBacklog = 16;

// Returns a socket that listens at the address, or -1 and errno.
int listen_at(const sockaddr* address, socklen_t length) {
    const int fd = socket(address->sa_family, SOCK_STREAM, 0), on = 1, off = 0;
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (address->sa_family == AF_INET6) // and on IPv4
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (bind(fd, address, length) == 0 && listen(fd, kBacklog) == 0)
        return fd;
    close(fd);
    return -1;
}

// Returns a socket that listens on all addresses, or -1 and errno. Where the machine has no IPv6
// it listens on IPv4 alone.
int listen_on(std::uint16_t port) {
    sockaddr_in6 six{};
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(port);
    if (const int fd = listen_at(reinterpret_cast<sockaddr*>(&six), sizeof six); fd >= 0)
        return fd;
    sockaddr_in four{};
    four.sin_family = AF_INET;
    four.sin_port = htons(port);
    return listen_at(reinterpret_cast<sockaddr*>(&four), sizeof four);
}

int fail(const char* what) {
    std::fprintf(stderr, "tiercel-listen: cannot %s: %s\n", what, std::strerror(errno));
    return 1;
}

} // namespace

int main(int argc, char** argv) {
    std::uint16_t port = 0;
    const std::string_view text = argc > 1 ? argv[1] : "";
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), port);
    if (argc < 4 || std::string_view(argv[2]) != "--" || parsed.ec != std::errc() ||
        parsed.ptr != text.data() + text.size() || port == 0) {
        std::fputs("usage: tiercel-listen PORT -- PROGRAM [ARGUMENT]...\n", stderr);
        return 2;
    }
    const int fd = listen_on(port);
    if (fd < 0)
        return fail("listen for readers of metrics");
    if (fd != kFirstPassed && (dup2(fd, kFirstPassed) != kFirstPassed || close(fd) != 0))
        return fail("pass the socket on");
    if (setenv("LISTEN_PID", std::to_string(getpid()).c_str(), 1) != 0 ||
        setenv("LISTEN_FDS", "1", 1) != 0)
        return fail("pass the socket on");
    execv(argv[3], argv + 3);
    return fail(("start " + std::string(argv[3])).c_str());
}
