// SPDX-License-Identifier: Apache-2.0
// Who a process is: user and group ids, capabilities, limits, sessions and groups.
#include <linux/capability.h>
#include <sys/resource.h>

#include "tests/live/harness/numbers.h"
#include "tests/live/harness/run.h"

namespace tiercel::live {

LIVE_TEST(SYSCALL_GETUID_X) {
    Run run([] {
        syscall(SYS_setresuid, 1001, 1002, 1003);
        call(SYS_getuid);
    });
    run.expect(SYSCALL_GETUID_X, {{"uid", 1001}});
}

LIVE_TEST(SYSCALL_GETEUID_X) {
    Run run([] {
        syscall(SYS_setresuid, 1001, 1002, 1003);
        call(SYS_geteuid);
    });
    run.expect(SYSCALL_GETEUID_X, {{"euid", 1002}});
}

LIVE_TEST(SYSCALL_GETGID_X) {
    Run run([] {
        syscall(SYS_setresgid, 1004, 1005, 1006);
        call(SYS_getgid);
    });
    run.expect(SYSCALL_GETGID_X, {{"gid", 1004}});
}

LIVE_TEST(SYSCALL_GETEGID_X) {
    Run run([] {
        syscall(SYS_setresgid, 1004, 1005, 1006);
        call(SYS_getegid);
    });
    run.expect(SYSCALL_GETEGID_X, {{"egid", 1005}});
}

LIVE_TEST(SYSCALL_GETRESUID_X) {
    Run run([] {
        std::uint32_t ids[3] = {};
        syscall(SYS_setresuid, 1001, 1002, 1003);
        call(SYS_getresuid, &ids[0], &ids[1], &ids[2]);
        call(SYS_getresuid, nullptr, nullptr, nullptr);
    });
    run.expect(SYSCALL_GETRESUID_X, {{"res", 0}, {"ruid", 1001}, {"euid", 1002}, {"suid", 1003}});
    run.expect(SYSCALL_GETRESUID_X, {{"res", -EFAULT}, {"ruid", 0}, {"euid", 0}, {"suid", 0}});
}

LIVE_TEST(SYSCALL_GETRESGID_X) {
    Run run([] {
        std::uint32_t ids[3] = {};
        syscall(SYS_setresgid, 1004, 1005, 1006);
        call(SYS_getresgid, &ids[0], &ids[1], &ids[2]);
        call(SYS_getresgid, nullptr, nullptr, nullptr);
    });
    run.expect(SYSCALL_GETRESGID_X, {{"res", 0}, {"rgid", 1004}, {"egid", 1005}, {"sgid", 1006}});
    run.expect(SYSCALL_GETRESGID_X, {{"res", -EFAULT}, {"rgid", 0}, {"egid", 0}, {"sgid", 0}});
}

LIVE_TEST(SYSCALL_SETUID_X) {
    Run run([] {
        call(SYS_setuid, 1001);
        call(SYS_setuid, 0);
    });
    run.expect(SYSCALL_SETUID_X, {{"res", 0}, {"uid", 1001}});
    run.expect(SYSCALL_SETUID_X, {{"res", -EPERM}, {"uid", 0}});
}

LIVE_TEST(SYSCALL_SETGID_X) {
    Run run([] {
        call(SYS_setgid, 1004);
        call(SYS_setgid, -1);
    });
    run.expect(SYSCALL_SETGID_X, {{"res", 0}, {"gid", 1004}});
    run.expect(SYSCALL_SETGID_X, {{"res", -EINVAL}, {"gid", -1}});
}

LIVE_TEST(SYSCALL_SETREUID_X) {
    Run run([] {
        call(SYS_setreuid, 1001, 1002);
        call(SYS_setreuid, -1, 0);
    });
    run.expect(SYSCALL_SETREUID_X, {{"res", 0}, {"ruid", 1001}, {"euid", 1002}});
    run.expect(SYSCALL_SETREUID_X, {{"res", -EPERM}, {"ruid", -1}, {"euid", 0}});
}

LIVE_TEST(SYSCALL_SETREGID_X) {
    Run run([] {
        call(SYS_setregid, 1004, 1005);
        syscall(SYS_setuid, 1001);
        call(SYS_setregid, 7, -1);
    });
    run.expect(SYSCALL_SETREGID_X, {{"res", 0}, {"rgid", 1004}, {"egid", 1005}});
    run.expect(SYSCALL_SETREGID_X, {{"res", -EPERM}, {"rgid", 7}, {"egid", -1}});
}

LIVE_TEST(SYSCALL_SETRESUID_X) {
    Run run([] {
        call(SYS_setresuid, 1001, 1002, 1003);
        call(SYS_setresuid, -1, 0, -1);
    });
    run.expect(SYSCALL_SETRESUID_X, {{"res", 0}, {"ruid", 1001}, {"euid", 1002}, {"suid", 1003}});
    run.expect(SYSCALL_SETRESUID_X, {{"res", -EPERM}, {"ruid", -1}, {"euid", 0}, {"suid", -1}});
}

LIVE_TEST(SYSCALL_SETRESGID_X) {
    Run run([] {
        call(SYS_setresgid, 1004, 1005, 1006);
        syscall(SYS_setuid, 1001);
        call(SYS_setresgid, 1, -1, 2);
    });
    run.expect(SYSCALL_SETRESGID_X, {{"res", 0}, {"rgid", 1004}, {"egid", 1005}, {"sgid", 1006}});
    run.expect(SYSCALL_SETRESGID_X, {{"res", -EPERM}, {"rgid", 1}, {"egid", -1}, {"sgid", 2}});
}

LIVE_TEST(SYSCALL_SETSID_X) {
    Run run([] {
        call(SYS_setsid);
        call(SYS_setsid);
    });
    run.expect(SYSCALL_SETSID_X, {{"res", run.tid()}});
    run.expect(SYSCALL_SETSID_X, {{"res", -EPERM}});
}

LIVE_TEST(SYSCALL_SETPGID_X) {
    Run run([] {
        call(SYS_setpgid, 0, getpid());
        call(SYS_setpgid, -1, 5);
    });
    run.expect(SYSCALL_SETPGID_X, {{"res", 0}, {"pid", 0}, {"pgid", run.tid()}});
    run.expect(SYSCALL_SETPGID_X, {{"res", -ESRCH}, {"pid", -1}, {"pgid", 5}});
}

// The event holds the sets as they are after the call, which may differ from the request.
LIVE_TEST(SYSCALL_CAPSET_X) {
    Run run([] {
        __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
        __user_cap_data_struct sets[2]{};
        sets[0] = {.effective = 1 << CAP_CHOWN,
                   .permitted = 1 << CAP_CHOWN | 1 << CAP_KILL,
                   .inheritable = 1 << CAP_KILL};
        call(SYS_capset, &header, sets);
        sets[0].permitted = 1 << CAP_SYS_ADMIN;
        call(SYS_capset, &header, sets);
    });
    const long inheritable = 1 << CAP_KILL, permitted = 1 << CAP_CHOWN | 1 << CAP_KILL,
               effective = 1 << CAP_CHOWN;
    run.expect(SYSCALL_CAPSET_X, {{"res", 0},
                                  {"cap_inheritable", inheritable},
                                  {"cap_permitted", permitted},
                                  {"cap_effective", effective}});
    run.expect(SYSCALL_CAPSET_X, {{"res", -EPERM},
                                  {"cap_inheritable", inheritable},
                                  {"cap_permitted", permitted},
                                  {"cap_effective", effective}});
}

LIVE_TEST(SYSCALL_GETRLIMIT_X) {
    Run run([] {
        rlimit limit{};
        getrlimit(RLIMIT_NOFILE, &limit);
        note(0, static_cast<long>(limit.rlim_cur));
        note(1, static_cast<long>(limit.rlim_max));
        call(SYS_getrlimit, RLIMIT_NOFILE, &limit);
        call(SYS_getrlimit, 99, &limit);
    });
    run.expect(SYSCALL_GETRLIMIT_X,
               {{"res", 0}, {"cur", run.note(0)}, {"max", run.note(1)}, {"resource", 7}});
    run.expect(SYSCALL_GETRLIMIT_X,
               {{"res", -EINVAL}, {"cur", -1}, {"max", -1}, {"resource", 255}});
}

LIVE_TEST(SYSCALL_SETRLIMIT_X) {
    Run run([] {
        rlimit limit{100, 200};
        call(SYS_setrlimit, RLIMIT_NPROC, &limit);
        limit = {RLIM_INFINITY, 5};
        call(SYS_setrlimit, RLIMIT_CORE, &limit);
        call(SYS_setrlimit, 99, nullptr);
    });
    run.expect(SYSCALL_SETRLIMIT_X, {{"res", 0}, {"cur", 100}, {"max", 200}, {"resource", 6}});
    run.expect(SYSCALL_SETRLIMIT_X, {{"res", -EINVAL}, {"cur", -1}, {"max", 5}, {"resource", 4}});
    run.expect(SYSCALL_SETRLIMIT_X,
               {{"res", run.result(2)}, {"cur", -1}, {"max", -1}, {"resource", 255}});
    CHECK(run.result(2) < 0);
}

LIVE_TEST(SYSCALL_PRLIMIT_X) {
    Run run([] {
        rlimit now{10, 20}, before{};
        syscall(SYS_prlimit64, 0, RLIMIT_NPROC, &now, nullptr);
        now = {5, 15};
        call(SYS_prlimit64, getpid(), RLIMIT_NPROC, &now, &before);
        call(SYS_prlimit64, -1, RLIMIT_STACK, &now, &before);
        call(SYS_prlimit64, 0, RLIMIT_STACK, nullptr, nullptr);
    });
    run.expect(SYSCALL_PRLIMIT_X, {{"res", 0},
                                   {"newcur", 10},
                                   {"newmax", 20},
                                   {"oldcur", -1},
                                   {"oldmax", -1},
                                   {"pid", 0},
                                   {"resource", 6}});
    run.expect(SYSCALL_PRLIMIT_X, {{"res", 0},
                                   {"newcur", 5},
                                   {"newmax", 15},
                                   {"oldcur", 10},
                                   {"oldmax", 20},
                                   {"pid", run.tid()},
                                   {"resource", 6}});
    run.expect(SYSCALL_PRLIMIT_X, {{"res", -ESRCH},
                                   {"newcur", 5},
                                   {"newmax", 15},
                                   {"oldcur", -1},
                                   {"oldmax", -1},
                                   {"pid", -1},
                                   {"resource", 3}});
    run.expect(SYSCALL_PRLIMIT_X, {{"res", 0},
                                   {"newcur", -1},
                                   {"newmax", -1},
                                   {"oldcur", -1},
                                   {"oldmax", -1},
                                   {"pid", 0},
                                   {"resource", 3}});
}

} // namespace tiercel::live
