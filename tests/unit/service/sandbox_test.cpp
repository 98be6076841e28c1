// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <initializer_list>
#include <string>

namespace {

// The victim's wait status.
int attempt(const char* what) {
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        execl(SANDBOX_VICTIM, "sandbox_victim", what, nullptr);
        _exit(127);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    return status;
}

} // namespace

TEST_CASE("what the analyzer needs works inside the sandbox") {
    const int status = attempt("control");
    REQUIRE(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("abort() ends the process as it should") {
    const int status = attempt("abort");
    REQUIRE(WIFSIGNALED(status));
    CHECK(WTERMSIG(status) == SIGABRT);
}

// Libraries make these calls and can live with an error. stdio asks for the kind of a stream by
// newfstatat, which with AT_EMPTY_PATH takes any path; abseil names its memory by prctl.
TEST_CASE("newfstatat and prctl fail") {
    for (const char* what : {"stat", "prctl"}) {
        CAPTURE(std::string(what));
        const int status = attempt(what);
        REQUIRE(WIFEXITED(status));
        CHECK(WEXITSTATUS(status) == 4);
    }
}

TEST_CASE("everything else kills the process") {
    for (const char* what : {"open",
                             "openat2",
                             "creat",
                             "unlink",
                             "rename",
                             "readlink",
                             "socket",
                             "connect",
                             "sendto an address",
                             "execve",
                             "execveat",
                             "fork",
                             "clone3",
                             "ptrace",
                             "bpf",
                             "ioctl",
                             "process_vm_readv",
                             "perf_event_open",
                             "setrlimit",
                             "kill",
                             "setuid",
                             "unshare",
                             "mount",
                             "keyctl",
                             "memfd_create",
                             "io_uring_setup",
                             "userfaultfd",
                             "tgkill of another",
                             "executable memory",
                             "memory made executable",
                             "a call by an x32 number"}) {
        CAPTURE(std::string(what));
        const int status = attempt(what);
        CHECK_MESSAGE(WIFSIGNALED(status), "it ended with exit code ", WEXITSTATUS(status));
        CHECK(WTERMSIG(status) == SIGSYS);
    }
}

// A kernel built or booted without 32-bit support refuses the trap itself, before any filter.
TEST_CASE("a call by an i386 number kills the process") {
    const int unconfined = attempt("i386 without a sandbox");
    const int status = attempt("a call by an i386 number");
    REQUIRE(WIFSIGNALED(status));
    CHECK(WTERMSIG(status) == (WIFSIGNALED(unconfined) ? WTERMSIG(unconfined) : SIGSYS));
}
