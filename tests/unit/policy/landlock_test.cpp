// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>

#include "policy/privilege/landlock.h"

namespace {

// Enters Landlock alone, without seccomp, and looks at what it refuses. The exit code says what
// went wrong; 100: the kernel has no Landlock.
int inside() {
    const int before = open("/etc/passwd", O_RDONLY);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    auto abi = tiercel::policy::restrict_by_landlock({}, tiercel::policy::Network::none);
    if (!abi)
        return 1;
    if (*abi == 0)
        return 100;
    char byte = 0;
    if (read(before, &byte, 1) != 1) // what was open stays usable
        return 2;
    if (open("/etc/passwd", O_RDONLY) >= 0 || errno != EACCES)
        return 3;
    if (open("/tmp/tiercel-landlock", O_CREAT | O_WRONLY, 0600) >= 0 || errno != EACCES)
        return 4;
    execl("/bin/true", "true", nullptr);
    if (errno != EACCES)
        return 5;
    if (*abi >= 4) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(9);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const int tcp = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(tcp, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 ||
            errno != EACCES)
            return 6;
    }
    if (*abi >= 6 && (kill(getppid(), 0) == 0 || errno != EPERM))
        return 7;
    return 0;
}

} // namespace

TEST_CASE("Landlock refuses files, programs, TCP and signals to others, and leaves what is open") {
    const pid_t child = fork();
    if (child == 0)
        _exit(inside());
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    REQUIRE(WIFEXITED(status));
    if (WEXITSTATUS(status) == 100) {
        puts("SKIPPED: Landlock: this kernel has none, or has it switched off");
        return;
    }
    CHECK(WEXITSTATUS(status) == 0);
}
