// SPDX-License-Identifier: Apache-2.0
//
// What a tracer could disturb, done by a program that notices: tracee ASPECT; without one it lists
// them. Exit codes: 0 all is as it is without a tracer, 1 something is not.
#include "tests/live/tracee.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <thread>
#include <vector>

namespace {

char self[4096];

// Threads that come and go while others make calls.
bool threads() {
    std::atomic<int> ran = 0;
    for (int round = 0; round < 20; ++round) {
        std::vector<std::thread> all;
        for (int i = 0; i < 8; ++i)
            all.emplace_back([&ran] {
                for (int call = 0; call < 20; ++call)
                    close(-1);
                ++ran;
            });
        for (auto& thread : all)
            thread.join();
    }
    return ran == 160;
}

// A parent that stands still until its vfork child has become another program.
bool vforks() {
    for (int i = 0; i < 20; ++i) {
        const pid_t child =
            vfork(); // NOLINT(clang-analyzer-security.insecureAPI.vfork): the call that is tested
        if (child == 0) {
            execl(self, self, "nothing", static_cast<char*>(nullptr));
            _exit(9);
        }
        int status = 0;
        if (waitpid(child, &status, 0) != child || status != 0)
            return false;
    }
    return true;
}

// exec by a thread that does not lead: it takes the leader's id, the other threads end.
bool thread_exec() {
    const pid_t child = fork();
    if (child == 0) {
        std::thread([] {
            execl(self, self, "nothing", static_cast<char*>(nullptr));
            _exit(9);
        }).detach();
        for (;;)
            pause();
    }
    int status = 0;
    return waitpid(child, &status, 0) == child && status == 0;
}

volatile sig_atomic_t handled = 0;

// Handlers run, blocked signals wait, values arrive, system calls are restarted.
bool signals() {
    struct sigaction action {};
    action.sa_sigaction = [](int, siginfo_t* info, void*) { handled = info->si_value.sival_int; };
    action.sa_flags = SA_SIGINFO | SA_RESTART;
    sigaction(SIGUSR1, &action, nullptr);
    sigqueue(getpid(), SIGUSR1, {.sival_int = 77});
    if (handled != 77)
        return false;
    int ends[2];
    if (pipe(ends) != 0)
        return false;
    const pid_t child = fork();
    if (child == 0) {
        usleep(50'000);
        kill(getppid(), SIGUSR1);
        usleep(50'000);
        _exit(write(ends[1], "x", 1) == 1 ? 0 : 1);
    }
    char byte = 0;
    int status = 0;
    const bool restarted = read(ends[0], &byte, 1) == 1 && handled == 0;
    return restarted && waitpid(child, &status, 0) == child && status == 0;
}

// A parent hears of a stop, of going on, and of the end by a signal, as from any child.
bool stops() {
    const pid_t child = fork();
    if (child == 0)
        for (;;)
            pause();
    int status = 0;
    usleep(20'000);
    kill(child, SIGSTOP);
    if (waitpid(child, &status, WUNTRACED) != child || !WIFSTOPPED(status) ||
        WSTOPSIG(status) != SIGSTOP)
        return false;
    if (waitpid(child, &status, WUNTRACED | WNOHANG) != 0) // once
        return false;
    kill(child, SIGCONT);
    if (waitpid(child, &status, WCONTINUED) != child || !WIFCONTINUED(status))
        return false;
    kill(child, SIGKILL);
    return waitpid(child, &status, 0) == child && WIFSIGNALED(status) &&
           WTERMSIG(status) == SIGKILL;
}

// Writes where nothing is; an address that the compiler knows it would warn of.
void raise_fault() {
    volatile std::uintptr_t address = 8;
    *reinterpret_cast<volatile int*>(address) = 1; // NOLINT: the fault
}

// A fault is the program's own to handle.
bool fault() {
    struct sigaction action {};
    action.sa_sigaction = [](int, siginfo_t* info, void*) {
        _exit(info->si_addr == reinterpret_cast<void*>(8) ? 0
                                                          : 1); // NOLINT: an address to fault at
    };
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGSEGV, &action, nullptr);
    const pid_t child = fork();
    if (child == 0)
        raise_fault();
    int status = 0;
    return waitpid(child, &status, 0) == child && status == 0;
}

using namespace tiercel::live;

// Those that are not listed need a terminal or a filter, or have no end.
constexpr struct {
    const char* name;
    bool (*holds)();
    bool listed = true;
} kAspects[] = {{"threads", threads},
                {"vfork", vforks},
                {"thread-exec", thread_exec},
                {"signals", signals},
                {"stops", stops},
                {"fault", fault},
                {"group-stop", group_stop},
                {"terminal", terminal},
                {"foreground", foreground, false},
                {"unstopped", unstopped, false},
                {"state", state, false},
                {"busy", busy, false}};

} // namespace

int main(int argc, char** argv) {
    const char* wanted = argc > 1 ? argv[1] : "";
    if (std::strcmp(wanted, "nothing") == 0)
        return 0;
    if (readlink("/proc/self/exe", self, sizeof self - 1) <= 0)
        return 1;
    alarm(60);
    for (const auto& aspect : kAspects)
        if (std::strcmp(aspect.name, wanted) == 0)
            return aspect.holds() ? 0 : 1;
    for (const auto& aspect : kAspects)
        if (aspect.listed)
            std::puts(aspect.name);
    return 2;
}
