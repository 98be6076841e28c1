// SPDX-License-Identifier: Apache-2.0
// Signals: kill, tkill, tgkill, their delivery, and the ends of processes.
#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <atomic>
#include <csignal>

#include "tests/live/harness/run.h"
#include "tests/live/harness/session.h"

namespace tiercel::live {

LIVE_TEST(SYSCALL_KILL_X) {
    Run run([] {
        call(SYS_kill, getpid(), SIGWINCH); // ignored by default
        call(SYS_kill, 0x3fffffff, SIGUSR1);
        call(SYS_kill, getpid(), 99);
    });
    run.expect(SYSCALL_KILL_X, {{"res", 0}, {"pid", run.tid()}, {"sig", SIGWINCH}});
    run.expect(SYSCALL_KILL_X, {{"res", -ESRCH}, {"pid", 0x3fffffff}, {"sig", SIGUSR1}});
    run.expect(SYSCALL_KILL_X, {{"res", -EINVAL}, {"pid", run.tid()}, {"sig", 99}});
}

LIVE_TEST(SYSCALL_TKILL_X) {
    Run run([] {
        call(SYS_tkill, getpid(), SIGWINCH);
        call(SYS_tkill, -1, SIGUSR2);
    });
    run.expect(SYSCALL_TKILL_X, {{"res", 0}, {"tid", run.tid()}, {"sig", SIGWINCH}});
    run.expect(SYSCALL_TKILL_X, {{"res", -EINVAL}, {"tid", -1}, {"sig", SIGUSR2}});
}

LIVE_TEST(SYSCALL_TGKILL_X) {
    Run run([] {
        call(SYS_tgkill, getpid(), getpid(), SIGWINCH);
        call(SYS_tgkill, getpid(), 0x3fffffff, SIGTERM);
    });
    run.expect(SYSCALL_TGKILL_X,
               {{"res", 0}, {"pid", run.tid()}, {"tid", run.tid()}, {"sig", SIGWINCH}});
    run.expect(SYSCALL_TGKILL_X,
               {{"res", -ESRCH}, {"pid", run.tid()}, {"tid", 0x3fffffff}, {"sig", SIGTERM}});
}

LIVE_TEST(SIGNALDELIVER_E) {
    Run run([] {
        signal(SIGUSR1, [](int) {});
        signal(SIGALRM, [](int) {});
        kill(getpid(), SIGUSR1);
        sigset_t alarm, before; // held back until it is waited for, however slow the machine is
        sigemptyset(&alarm);
        sigaddset(&alarm, SIGALRM);
        sigprocmask(SIG_BLOCK, &alarm, &before);
        ualarm(1000, 0);
        sigsuspend(&before);
    });
    run.expect(SIGNALDELIVER_E, {{"spid", run.tid()}, {"dpid", run.tid()}, {"sig", SIGUSR1}});
    run.expect(SIGNALDELIVER_E,
               {{"spid", 0}, {"dpid", run.tid()}, {"sig", SIGALRM}}); // from the kernel
    run.expect_no_more(SIGNALDELIVER_E);
}

LIVE_TEST(SIGNALDELIVER_E, "from a child that ends, and a fault") {
    Run run(
        [] {
            signal(SIGCHLD, [](int) {});
            const rlimit no_core{0, 0};
            setrlimit(RLIMIT_CORE, &no_core);
            const pid_t child = fork();
            if (child == 0)
                _exit(0);
            note(0, child);
            while (waitpid(child, nullptr, 0) < 0)
                ;
            static char* volatile nowhere; // the compiler is not to know where it points
            *static_cast<volatile char*>(nowhere) =
                1; // NOLINT(clang-analyzer-core.NullDereference)
        },
        SIGSEGV);
    run.expect(SIGNALDELIVER_E, {{"spid", run.note(0)}, {"dpid", run.tid()}, {"sig", SIGCHLD}});
    run.expect(SIGNALDELIVER_E, {{"spid", 0}, {"dpid", run.tid()}, {"sig", SIGSEGV}});
}

LIVE_TEST(PROCEXIT_1_E) {
    Run run([] { _exit(42); }, W_EXITCODE(42, 0));
    run.expect(
        PROCEXIT_1_E,
        {{"status", W_EXITCODE(42, 0)}, {"ret", 42}, {"sig", 0}, {"core", 0}, {"reaper_tid", 0}});
    run.expect_no_more(PROCEXIT_1_E);
}

LIVE_TEST(PROCEXIT_1_E, "by a signal") {
    Run run([] { kill(getpid(), SIGKILL); }, SIGKILL);
    run.expect(PROCEXIT_1_E,
               {{"status", SIGKILL}, {"ret", 0}, {"sig", SIGKILL}, {"core", 0}, {"reaper_tid", 0}});
}

LIVE_TEST(PROCEXIT_1_E, "with a core") {
    Run run(
        [] {
            rlimit core{RLIM_INFINITY, RLIM_INFINITY};
            setrlimit(RLIMIT_CORE, &core);
            prctl(PR_SET_DUMPABLE, 1);
            kill(getpid(), SIGQUIT);
        },
        Run::kAnyStatus);
    CHECK(WTERMSIG(run.status()) == SIGQUIT);
    run.expect(PROCEXIT_1_E, {{"status", run.status()},
                              {"ret", 0},
                              {"sig", SIGQUIT},
                              {"core", WCOREDUMP(run.status()) ? 1 : 0},
                              {"reaper_tid", 0}});
}

// Who takes over the children of a process that ends: another thread, a subreaper, or init.
LIVE_TEST(PROCEXIT_1_E, "leaving a child to a subreaper") {
    Run run([] {
        prctl(PR_SET_CHILD_SUBREAPER, 1);
        const pid_t parent = fork();
        if (parent == 0) {
            if (fork() == 0) {
                usleep(50'000);
                _exit(0);
            }
            _exit(3);
        }
        note(0, parent);
        while (wait(nullptr) > 0)
            ;
    });
    run.expect_of(run.note(0), PROCEXIT_1_E,
                  {{"status", W_EXITCODE(3, 0)},
                   {"ret", 3},
                   {"sig", 0},
                   {"core", 0},
                   {"reaper_tid", by_ptrace() ? Want(kNothing) : Want(run.tid())}});
}

LIVE_TEST(PROCEXIT_1_E, "of a thread") {
    static char stack[65536] __attribute__((aligned(16)));
    static std::atomic<pid_t> alive = 1; // the kernel writes 0 when the thread is gone
    Run run(
        [] {
            const int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
                              CLONE_SYSVSEM | CLONE_CHILD_CLEARTID;
            note(0, clone(
                        [](void*) -> int {
                            syscall(SYS_exit, 5);
                            return 0;
                        },
                        stack + sizeof stack, flags, nullptr, nullptr, nullptr,
                        reinterpret_cast<pid_t*>(&alive)));
            while (alive)
                usleep(1000);
            usleep(20'000);
            syscall(SYS_exit, 6);
        },
        W_EXITCODE(6, 0));
    run.expect_of(
        run.note(0), PROCEXIT_1_E,
        {{"status", W_EXITCODE(5, 0)}, {"ret", 5}, {"sig", 0}, {"core", 0}, {"reaper_tid", 0}});
    run.expect(
        PROCEXIT_1_E,
        {{"status", W_EXITCODE(6, 0)}, {"ret", 6}, {"sig", 0}, {"core", 0}, {"reaper_tid", 0}});
}

} // namespace tiercel::live
