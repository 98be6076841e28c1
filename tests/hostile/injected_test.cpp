// SPDX-License-Identifier: Apache-2.0
//
// Code injected into the confined analyzer: each child of this test enters the analyzer's sandbox,
// as the analyzer does, and makes one system call by its number. Every number is tried by each way
// into the kernel that x86-64 has: native, x32, and i386 by int 0x80. A call whose number is not on
// the list has to end the child by SIGSYS, and so has every call by another way than the native.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <string>
#include <vector>

#include "analyzer/service/sandbox.h"
#include "policy/privilege/analyzer_syscalls.h"

using namespace tiercel;

namespace {

// Above the highest number of every known kernel; numbers that no kernel knows are refused too.
constexpr int kNumbers = 640;
constexpr uid_t kUnusedUid = 4'000'000'000;

// How the call enters the kernel.
enum class Way { native, x32, i386 };

long native_call(long number) {
    return syscall(number, 0, 0, 0, 0, 0, 0);
}

long i386_call([[maybe_unused]] long number) {
#if defined(__x86_64__)
    long result = 0;
    // ebx, ecx, edx, esi and edi are the arguments (arch/x86/entry/entry_64_compat.S).
    asm volatile("int $0x80"
                 : "=a"(result)
                 : "a"(number), "b"(0L), "c"(0L), "d"(0L), "S"(0L), "D"(0L)
                 : "memory");
    return result;
#else
    return -1;
#endif
}

long call(Way way, long number) {
    constexpr long kX32 = 0x40000000; // __X32_SYSCALL_BIT of asm/unistd.h
    switch (way) {
    case Way::native: return native_call(number);
    case Way::x32: return native_call(kX32 | number);
    case Way::i386: return i386_call(number);
    }
    return -1;
}

// Becomes what the analyzer is at the start: an account of its own, with nothing on its streams.
bool become_unprivileged() {
    const int null = open("/dev/null", O_RDWR);
    for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
        if (dup2(null, stream) < 0)
            return false;
    return geteuid() != 0 ||
           (setgroups(0, nullptr) == 0 && setresgid(kUnusedUid, kUnusedUid, kUnusedUid) == 0 &&
            setresuid(kUnusedUid, kUnusedUid, kUnusedUid) == 0);
}

// The wait status of a child that calls, inside the sandbox or (`confined` false) outside.
int attempt(Way way, long number, bool confined = true) {
    constexpr int kNotConfined = 99;
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        if (!become_unprivileged() || (confined && !app::enter_sandbox({})))
            _exit(kNotConfined);
        call(way, number);
        native_call(SYS_exit_group);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    REQUIRE_FALSE((WIFEXITED(status) && WEXITSTATUS(status) == kNotConfined));
    return status;
}

bool killed_by_filter(int status) {
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
}

// Whether the rule lets a process live that makes the call with all arguments zero.
bool survives_zeros(policy::Only only) {
    switch (only) {
    case policy::Only::anything:
    case policy::Only::not_executable:
    case policy::Only::not_both:
    case policy::Only::connected:            // the address is null
    case policy::Only::failing: return true; // the call fails
    case policy::Only::itself:
    case policy::Only::reading:
    case policy::Only::appending:
    case policy::Only::of_the_module:
    case policy::Only::unix_socket:
    case policy::Only::network_socket:
    case policy::Only::bpf_commands: return false;
    }
    return false;
}

// Whether the list allows the call when all its arguments are zero.
bool allowed_with_zeros(int number) {
    const auto allows = [number](const policy::Allow& rule) {
        return std::ranges::find(rule.calls, number) != rule.calls.end() &&
               survives_zeros(rule.only);
    };
    return std::ranges::any_of(policy::kAnalyzerSteady, allows);
}

std::string joined(const std::vector<int>& numbers) {
    std::string text;
    for (const int number : numbers)
        text += (text.empty() ? "" : ", ") + std::to_string(number);
    return text;
}

// Calls whose end says nothing about the filter: rt_sigreturn continues wherever the stack says.
// The kernel lets its own trampolines' calls pass every filter; elsewhere they do nothing
// (kernel/seccomp.c).
bool undecidable(int number) {
    constexpr int kUretprobe = 335, kUprobe = 336; // of x86-64, since Linux 6.11 and 6.18
    return number == SYS_rt_sigreturn || number == kUretprobe || number == kUprobe;
}

// The numbers whose call did not end as it has to.
std::vector<int> wrong_numbers(Way way) {
    std::vector<int> wrong;
    for (int number = 0; number < kNumbers; ++number) {
        const bool native = way == Way::native;
        if (native && undecidable(number))
            continue;
        const bool has_to_be_killed = !native || !allowed_with_zeros(number);
        if (killed_by_filter(attempt(way, number)) != has_to_be_killed)
            wrong.push_back(number);
    }
    return wrong;
}

} // namespace

TEST_CASE("by the native way only the numbers of the list pass the filter") {
    CHECK(joined(wrong_numbers(Way::native)) == "");
}

#if defined(__x86_64__)
TEST_CASE("no number passes by the x32 way") {
    CHECK(joined(wrong_numbers(Way::x32)) == "");
}

TEST_CASE("no number passes by the i386 way") {
    constexpr long kGetpid = 20; // of i386
    if (WIFSIGNALED(attempt(Way::i386, kGetpid, false))) {
        std::puts("SKIPPED: injected: this kernel has no 32-bit system calls");
        return;
    }
    CHECK(joined(wrong_numbers(Way::i386)) == "");
}
#endif
