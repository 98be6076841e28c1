// SPDX-License-Identifier: Apache-2.0
// New threads and processes: each gives an event of the parent, with the child's id, and one of the
// child.
#include <linux/sched.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <csignal>

#include "tests/live/harness/numbers.h"
#include "tests/live/harness/run.h"
#include "tests/live/harness/self.h"
#include "tests/live/harness/session.h"

namespace tiercel::live {

namespace {

// The schema's clone flags.
constexpr long kSFiles = 1, kSFs = 2, kSNewpid = 64, kSParent = 1 << 8, kSSighand = 1 << 11,
               kSSysvsem = 1 << 12, kSThread = 1 << 13, kSVm = 1 << 15, kSVfork = 1 << 27,
               kSInPidns = 1 << 29;

struct Wanted {
    long res, tid, pid, ptid, flags;
    long vtid = tid, vpid = pid;
    long uid = 0, gid = 0;
};

// A tracer does not see the init of another namespace, unless it tells of that very process.
Want birth_of_namespace(const Wanted& w) {
    if (by_ptrace() && w.vtid != w.tid && w.vtid != 1)
        return kNothing;
    return at_least(1);
}

void expect_thread(Run& run, Code code, const Wanted& w, Run::Here here = Run::Here::current()) {
    const CommandLine command;
    const bool parent = w.res != 0;
    const WantParam wants[] = {{"res", w.res},
                               {"exe", command.program},
                               {"args", command.args()},
                               {"tid", w.tid},
                               {"pid", w.pid},
                               {"ptid", w.ptid},
                               {"cwd", kNothing},
                               {"fdlimit", fd_limit()},
                               {"pgft_maj", at_least(0)},
                               {"pgft_min", at_least(parent ? 1 : 0)},
                               {"vm_size", between(100, 1U << 30)},
                               {"vm_rss", between(0, 1U << 24)},
                               {"vm_swap", between(0, 1U << 24)},
                               {"comm", own_name()},
                               {"cgroups", own_cgroups()},
                               {"flags", w.flags},
                               {"uid", w.uid},
                               {"gid", w.gid},
                               {"vtid", w.vtid},
                               {"vpid", w.vpid},
                               {"pidns_init_start_ts", parent ? Want(0) : birth_of_namespace(w)}};
    run.expect_list(w.tid, code, wants, here);
}

// Waits for all children; __WALL for those that end without SIGCHLD.
void wait_all() {
    while (waitpid(-1, nullptr, __WALL) > 0)
        ;
}

} // namespace

LIVE_TEST(SYSCALL_FORK_20_X) {
    Run run([] {
        if (call(SYS_fork) == 0)
            _exit(0);
        wait_all();
    });
    const long child =
        run.result(0) ? run.result(0) : run.result(1); // both log; the parent's is not 0
    expect_thread(run, SYSCALL_FORK_20_X,
                  {.res = child, .tid = run.tid(), .pid = run.tid(), .ptid = getpid(), .flags = 0});
    expect_thread(run, SYSCALL_FORK_20_X,
                  {.res = 0, .tid = child, .pid = child, .ptid = run.tid(), .flags = 0});
}

LIVE_TEST(SYSCALL_VFORK_20_X) {
    Run run([] {
        const pid_t child =
            vfork(); // NOLINT(clang-analyzer-security.insecureAPI.vfork): the call that is tested
        if (child == 0)
            _exit(0);
        note(0, child);
        wait_all();
    });
    const long child = run.note(0);
    expect_thread(run, SYSCALL_VFORK_20_X,
                  {.res = child,
                   .tid = run.tid(),
                   .pid = run.tid(),
                   .ptid = getpid(),
                   .flags = kSVfork | kSVm});
    expect_thread(
        run, SYSCALL_VFORK_20_X,
        {.res = 0, .tid = child, .pid = child, .ptid = run.tid(), .flags = kSVfork | kSVm});
}

LIVE_TEST(SYSCALL_CLONE_20_X) {
    Run run([] {
        const long child = syscall(SYS_clone, CLONE_FS | CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
        if (child == 0)
            _exit(0);
        note(0, child);
        wait_all();
        call(SYS_clone, CLONE_THREAD, 0, 0, 0, 0); // not without CLONE_SIGHAND
    });
    const long child = run.note(0);
    expect_thread(run, SYSCALL_CLONE_20_X,
                  {.res = child,
                   .tid = run.tid(),
                   .pid = run.tid(),
                   .ptid = getpid(),
                   .flags = kSFs | kSFiles});
    expect_thread(
        run, SYSCALL_CLONE_20_X,
        {.res = 0, .tid = child, .pid = child, .ptid = run.tid(), .flags = kSFs | kSFiles});
    expect_thread(
        run, SYSCALL_CLONE_20_X,
        {.res = -EINVAL, .tid = run.tid(), .pid = run.tid(), .ptid = getpid(), .flags = kSThread});
}

LIVE_TEST(SYSCALL_CLONE_20_X, "a thread") {
    static char stack[65536] __attribute__((aligned(16)));
    Run run([] {
        const int flags =
            CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
        note(0, clone(
                    [](void*) -> int {
                        syscall(SYS_exit, 0);
                        return 0;
                    },
                    stack + sizeof stack, flags, nullptr));
        usleep(20'000);
    });
    const long flags = kSVm | kSFs | kSFiles | kSSighand | kSThread | kSSysvsem,
               thread = run.note(0);
    expect_thread(
        run, SYSCALL_CLONE_20_X,
        {.res = thread, .tid = run.tid(), .pid = run.tid(), .ptid = getpid(), .flags = flags});
    expect_thread(run, SYSCALL_CLONE_20_X,
                  {.res = 0, .tid = thread, .pid = run.tid(), .ptid = getpid(), .flags = flags});
}

LIVE_TEST(SYSCALL_CLONE_20_X, "a sibling") {
    Run run([] {
        const long child = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
        if (child == 0)
            _exit(0);
        note(0, child);
        usleep(20'000);
    });
    waitpid(static_cast<pid_t>(run.note(0)), nullptr, 0); // it became a child of the test
    expect_thread(run, SYSCALL_CLONE_20_X,
                  {.res = run.note(0),
                   .tid = run.tid(),
                   .pid = run.tid(),
                   .ptid = getpid(),
                   .flags = kSParent});
    expect_thread(
        run, SYSCALL_CLONE_20_X,
        {.res = 0, .tid = run.note(0), .pid = run.note(0), .ptid = getpid(), .flags = kSParent});
}

LIVE_TEST(SYSCALL_CLONE_20_X, "another user") {
    Run run([] {
        syscall(SYS_setresgid, 1004, 1005, 1006);
        syscall(SYS_setresuid, 1001, 1002, 1003);
        const long child = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
        if (child == 0)
            _exit(0);
        note(0, child);
        wait_all();
    });
    expect_thread(run, SYSCALL_CLONE_20_X,
                  {.res = run.note(0),
                   .tid = run.tid(),
                   .pid = run.tid(),
                   .ptid = getpid(),
                   .flags = 0,
                   .uid = 1002,
                   .gid = 1005});
    expect_thread(run, SYSCALL_CLONE_20_X,
                  {.res = 0,
                   .tid = run.note(0),
                   .pid = run.note(0),
                   .ptid = run.tid(),
                   .flags = 0,
                   .uid = 1002,
                   .gid = 1005});
}

LIVE_TEST(SYSCALL_CLONE3_X) {
    Run run([] {
        clone_args arguments{};
        arguments.flags = CLONE_FS;
        arguments.exit_signal = SIGCHLD;
        const long child = syscall(SYS_clone3, &arguments, sizeof arguments);
        if (child == 0)
            _exit(0);
        note(0, child < 0 ? -errno : child);
        wait_all();
        arguments.flags = CLONE_SIGHAND; // not without CLONE_VM
        call(SYS_clone3, &arguments, sizeof arguments);
    });
    const long child = run.note(0);
    if (child == -ENOSYS)
        LIVE_SKIP("the kernel has no clone3", SYSCALL_CLONE3_X);
    expect_thread(
        run, SYSCALL_CLONE3_X,
        {.res = child, .tid = run.tid(), .pid = run.tid(), .ptid = getpid(), .flags = kSFs});
    expect_thread(run, SYSCALL_CLONE3_X,
                  {.res = 0, .tid = child, .pid = child, .ptid = run.tid(), .flags = kSFs});
    expect_thread(
        run, SYSCALL_CLONE3_X,
        {.res = -EINVAL, .tid = run.tid(), .pid = run.tid(), .ptid = getpid(), .flags = kSSighand});
}

// In a pid namespace of its own the child is 1, and its child 2.
LIVE_TEST(SYSCALL_CLONE3_X, "a pid namespace") {
    Run run([] {
        clone_args arguments{};
        arguments.flags = CLONE_NEWPID;
        arguments.exit_signal = SIGCHLD;
        const long child = syscall(SYS_clone3, &arguments, sizeof arguments);
        if (child == 0) {
            if (syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) == 0)
                _exit(0);
            wait_all();
            _exit(0);
        }
        note(0, child < 0 ? -errno : child);
        wait_all();
    });
    const long child = run.note(0);
    if (child < 0)
        LIVE_SKIP("no pid namespace can be made");
    expect_thread(
        run, SYSCALL_CLONE3_X,
        {.res = child, .tid = run.tid(), .pid = run.tid(), .ptid = getpid(), .flags = kSNewpid});
    expect_thread(run, SYSCALL_CLONE3_X,
                  {.res = 0,
                   .tid = child,
                   .pid = child,
                   .ptid = run.tid(),
                   .flags = kSNewpid | kSInPidns,
                   .vtid = 1,
                   .vpid = 1});
    // What clone() returned to the inner parent is a number of its own namespace.
    expect_thread(run, SYSCALL_CLONE_20_X,
                  {.res = 2,
                   .tid = child,
                   .pid = child,
                   .ptid = run.tid(),
                   .flags = kSInPidns,
                   .vtid = 1,
                   .vpid = 1});
    for (const EventBytes& bytes : run.events())
        if (auto view = EventView::parse(bytes);
            view->code() == SYSCALL_CLONE_20_X && view->number<std::int64_t>(0) == 0)
            expect_thread(run, SYSCALL_CLONE_20_X,
                          {.res = 0,
                           .tid = view->tid(),
                           .pid = view->tid(),
                           .ptid = child,
                           .flags = kSInPidns,
                           .vtid = 2,
                           .vpid = 2});
}

} // namespace tiercel::live
