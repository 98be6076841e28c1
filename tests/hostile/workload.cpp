// SPDX-License-Identifier: Apache-2.0
//
// workload: what an ordinary user can do to the analyzer's tables.
//
//     workload lives COUNT             short processes and threads, of every way to make one
//     workload files PROCESSES COUNT   processes with COUNT open files each
//     workload forks PROCESSES COUNT   the children of a process with COUNT open files
//
// `files` and `forks` print "ready", and end when standard input does.
#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

constexpr int kFailedExec = 127;

void wait_for(pid_t pid) {
    while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
}

void fork_one() {
    const pid_t child = fork();
    if (child == 0)
        _exit(0);
    wait_for(child);
}

// In a function of its own, because the child shares its frame.
[[gnu::noinline]] pid_t vfork_one(const char* program) {
    char* const arguments[] = {const_cast<char*>("short-life"), nullptr};
    const pid_t child = vfork();
    if (child == 0) {
        if (program != nullptr)
            execv(program, arguments);
        _exit(kFailedExec);
    }
    return child;
}

void spawn_one(const char* program) {
    char* const arguments[] = {const_cast<char*>("short-life"), nullptr};
    pid_t child = -1;
    if (posix_spawn(&child, program, nullptr, nullptr, arguments, environ) == 0)
        wait_for(child);
}

void* end_at_once(void* nothing) {
    return nothing;
}

void thread_one() {
    pthread_t thread{};
    if (pthread_create(&thread, nullptr, end_at_once, nullptr) == 0)
        pthread_join(thread, nullptr);
}

// One in twenty runs a program, because that takes as long as all the others.
void live(long count) {
    for (long i = 0; i < count; ++i) {
        switch (i % 20) {
        case 0: spawn_one("/bin/true"); break;
        case 1:
        case 2:
        case 3:
        case 4: spawn_one("/nonexistent/program"); break;
        case 5:
        case 6:
        case 7: wait_for(vfork_one("/nonexistent/program")); break;
        case 8:
        case 9:
        case 10: wait_for(vfork_one(nullptr)); break;
        case 11:
        case 12:
        case 13:
        case 14: thread_one(); break;
        default: fork_one();
        }
    }
}

// Opens as many, or a few less if the hard limit is lower.
bool open_files(long count) {
    constexpr rlim_t kOthers = 16; // standard streams and pipes
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return false;
    limit.rlim_cur = std::min(limit.rlim_max, static_cast<rlim_t>(count) + kOthers);
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        return false;
    for (rlim_t i = kOthers; i < limit.rlim_cur; ++i)
        if (open("/usr/bin/env", O_RDONLY) < 0)
            return false;
    return true;
}

// Keeps the children that `make` makes until standard input ends.
template <typename Make>
int keep(long processes, Make make) {
    int ready[2];
    if (pipe(ready) != 0)
        return 1;
    for (long i = 0; i < processes; ++i) {
        if (fork() != 0)
            continue;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        const char byte = make() ? 'y' : 'n';
        if (write(ready[1], &byte, 1) == 1)
            pause();
        _exit(0);
    }
    for (long i = 0; i < processes; ++i) {
        char byte = 0;
        if (read(ready[0], &byte, 1) != 1 || byte != 'y')
            return 1;
    }
    std::puts("ready");
    std::fflush(stdout);
    char byte = 0;
    while (read(STDIN_FILENO, &byte, 1) > 0) {
    }
    return 0;
}

} // namespace

int main(int argc, char** argv) {
    const char* what = argc > 1 ? argv[1] : "";
    const long first = argc > 2 ? std::atol(argv[2]) : 0,
               second = argc > 3 ? std::atol(argv[3]) : 0;
    if (std::strcmp(what, "lives") == 0 && first > 0) {
        live(first);
        return 0;
    }
    if (std::strcmp(what, "files") == 0 && second > 0)
        return keep(first, [second] { return open_files(second); });
    if (std::strcmp(what, "forks") == 0 && second > 0)
        return open_files(second) ? keep(first, [] { return true; }) : 1;
    std::fputs("usage: workload lives COUNT | files PROCESSES COUNT | forks PROCESSES COUNT\n",
               stderr);
    return 2;
}
