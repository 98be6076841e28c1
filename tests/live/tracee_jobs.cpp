// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>
#include <thread>

#include "tests/live/tracee.h"

namespace tiercel::live {

namespace {

constexpr int kCounters = 4;

// Whether waitpid(2) tells that the child was stopped by that signal, once.
bool is_stopped_by(pid_t child, int signal) {
    int status = 0;
    return waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status) &&
           WSTOPSIG(status) == signal && waitpid(child, &status, WUNTRACED | WNOHANG) == 0;
}

bool is_killed_by(pid_t child, int signal) {
    int status = 0;
    return waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == signal;
}

[[noreturn]] void count(std::atomic<long>* counts) {
    for (int i = 1; i < kCounters; ++i)
        std::thread([counts, i] {
            for (;; ++counts[i])
                usleep(100);
        }).detach();
    for (;; ++counts[0])
        usleep(100);
}

std::array<long, kCounters> values_of(const std::atomic<long>* counts) {
    std::array<long, kCounters> values{};
    std::copy_n(counts, kCounters, values.begin());
    return values;
}

// Whether every counter moves, at most 10 s later: a busy machine gives no thread its turn at once.
bool all_move(const std::atomic<long>* counts) {
    const auto before = values_of(counts);
    for (int i = 0; i < 1000; ++i) {
        usleep(10'000);
        const auto now = values_of(counts);
        if (std::ranges::equal(before, now, std::ranges::less()))
            return true;
    }
    return false;
}

bool none_moves(const std::atomic<long>* counts) {
    const auto before = values_of(counts);
    usleep(100'000);
    return before == values_of(counts);
}

// Says that the terminal is its own, reads lines from it, tells of each by its first letter.
[[noreturn]] void job(int told) {
    setpgid(0, 0);
    while (tcgetpgrp(STDIN_FILENO) != getpgrp())
        usleep(1000);
    char line[64] = "!";
    (void)!write(told, line, 1);
    for (;;)
        if (read(STDIN_FILENO, line, sizeof line) > 0)
            (void)!write(told, line, 1);
}

// What a shell on a terminal does with a job; `keys` is the other end, where the user types.
bool control(const char* name, int keys) {
    setsid();
    const int tty = open(name, O_RDWR);
    int told[2];
    if (tty < 0 || ioctl(tty, TIOCSCTTY, 0) != 0 || pipe(told) != 0)
        return false;
    dup2(tty, STDIN_FILENO);
    signal(SIGTTOU, SIG_IGN); // it gives the terminal away and takes it back
    const pid_t child = fork();
    if (child == 0) {
        signal(SIGTTOU, SIG_DFL);
        job(told[1]);
    }
    setpgid(child, child);
    tcsetpgrp(tty, child);
    char first = 0;
    if (read(told[0], &first, 1) != 1 || write(keys, "\x1a", 1) != 1 ||
        !is_stopped_by(child, SIGTSTP))
        return false;
    tcsetpgrp(tty, getpgrp());
    kill(-child, SIGCONT);
    if (!is_stopped_by(child, SIGTTIN)) // it reads, but the terminal is another's now
        return false;
    tcsetpgrp(tty, child);
    kill(-child, SIGCONT);
    if (write(keys, "q\n", 2) != 2 || read(told[0], &first, 1) != 1 || first != 'q')
        return false;
    return write(keys, "\x03", 1) == 1 && is_killed_by(child, SIGINT);
}

long own_switches() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_nvcsw;
}

} // namespace

bool group_stop() {
    void* shared = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    auto* counts = new (shared) std::atomic<long>[kCounters] {};
    const pid_t child = fork();
    if (child == 0)
        count(counts);
    bool good = all_move(counts);
    kill(child, SIGSTOP);
    good = good && is_stopped_by(child, SIGSTOP) && none_moves(counts);
    kill(child, SIGCONT);
    good = good && all_move(counts);
    kill(child, SIGKILL);
    return is_killed_by(child, SIGKILL) && good;
}

bool terminal() {
    const int keys = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (keys < 0 || grantpt(keys) != 0 || unlockpt(keys) != 0)
        return false;
    const pid_t shell = fork();
    if (shell == 0)
        _exit(control(ptsname(keys), keys) ? 0 : 1);
    int status = 0;
    return waitpid(shell, &status, 0) == shell && status == 0;
}

bool foreground() {
    return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && isatty(STDERR_FILENO) &&
           tcgetpgrp(STDIN_FILENO) == getpgrp() && tcgetsid(STDIN_FILENO) == getsid(0) &&
           waitpid(-1, nullptr, WNOHANG) == -1 && errno == ECHILD;
}

bool unstopped() {
    constexpr int kCalls = 10'000;
    const long before = own_switches();
    for (int i = 0; i < kCalls; ++i)
        syscall(SYS_getppid);
    return own_switches() - before < kCalls / 10;
}

bool state() {
    std::printf("parent %d group %d session %d children %d\n", getppid(), getpgrp(), getsid(0),
                waitpid(-1, nullptr, WNOHANG));
    for (int fd = 0; fd < 1024; ++fd)
        if (const int flags = fcntl(fd, F_GETFD); flags >= 0)
            std::printf("descriptor %d flags %d\n", fd, flags);
    for (int number = 1; number <= SIGRTMAX; ++number) {
        struct sigaction action {};
        if (sigaction(number, nullptr, &action) == 0 && action.sa_handler != SIG_DFL)
            std::printf("signal %d is not as it was\n", number);
    }
    sigset_t blocked;
    sigprocmask(SIG_BLOCK, nullptr, &blocked);
    for (int number = 1; number <= SIGRTMAX; ++number)
        if (sigismember(&blocked, number) == 1)
            std::printf("signal %d is blocked\n", number);
    for (int what = 0; what < static_cast<int>(RLIMIT_NLIMITS); ++what) {
        rlimit limit{};
        getrlimit(static_cast<__rlimit_resource_t>(what), &limit);
        std::printf("limit %d: %lu %lu\n", what, limit.rlim_cur, limit.rlim_max);
    }
    char directory[4096];
    std::printf("in %s, umask %o, nice %d\n", getcwd(directory, sizeof directory), umask(0),
                getpriority(PRIO_PROCESS, 0));
    for (char** variable = environ; *variable; ++variable)
        std::puts(*variable);
    return true;
}

bool busy() {
    static std::atomic<long> counts[kCounters];
    count(counts);
}

} // namespace tiercel::live
