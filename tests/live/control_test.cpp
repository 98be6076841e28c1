// SPDX-License-Identifier: Apache-2.0
// Control over processes and the kernel: prctl, ptrace, seccomp, namespaces, bpf, io_uring, keyctl,
// modules, ...
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/io_uring.h>
#include <linux/keyctl.h>
#include <linux/mount.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/quota.h>
#include <sys/wait.h>

#include <csignal>
#include <cstddef>
#include <cstring>

#include "tests/live/harness/run.h"
#include "tests/live/harness/session.h"

namespace tiercel::live {

namespace {

template <typename T>
Raw dynamic(char kind, T value) {
    return {std::string(1, kind) +
            std::string(reinterpret_cast<const char*>(&value), sizeof value)};
}
Raw number(long value) {
    return dynamic(0, value);
}
Raw text(std::string value) {
    return {std::string(1, '\1') + value + '\0'};
}

} // namespace

LIVE_TEST(SYSCALL_PRCTL_X) {
    Run run([] {
        int subreaper = 0;
        syscall(SYS_prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
        call(SYS_prctl, PR_SET_NAME, "a name", 0, 0, 0);
        call(SYS_prctl, PR_GET_CHILD_SUBREAPER, &subreaper, 0, 0, 0);
        call(SYS_prctl, PR_SET_PDEATHSIG, 999, 0, 0, 0);
    });
    run.expect(SYSCALL_PRCTL_X,
               {{"res", 0}, {"option", 36}, {"arg2_str", kNothing}, {"arg2_int", 1}});
    run.expect(SYSCALL_PRCTL_X,
               {{"res", 0}, {"option", 15}, {"arg2_str", "a name"}, {"arg2_int", kNothing}});
    run.expect(SYSCALL_PRCTL_X,
               {{"res", 0}, {"option", 37}, {"arg2_str", kNothing}, {"arg2_int", 1}});
    run.expect(SYSCALL_PRCTL_X,
               {{"res", -EINVAL}, {"option", 1}, {"arg2_str", kNothing}, {"arg2_int", 999}});
}

namespace {

// A process that no driver traces.
pid_t bystander;
const BeforeSession kBefore([] {
    bystander = fork();
    if (bystander != 0)
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;)
        pause();
});

} // namespace

LIVE_TEST(SYSCALL_PTRACE_X) {
    static long word;
    Run run([] {
        word = 0x1122334455667788;
        call(SYS_ptrace, PTRACE_ATTACH, bystander, 0, 0);
        waitpid(bystander, nullptr, 0);
        long peeked = 0;
        call(SYS_ptrace, PTRACE_PEEKDATA, bystander,
             as_argument(&word) /* still what it was in the bystander: 0 */, &peeked);
        call(SYS_ptrace, PTRACE_DETACH, bystander, 0, SIGTERM);
        call(SYS_ptrace, PTRACE_CONT, -1, 5, SIGUSR1);
    });
    run.expect(SYSCALL_PTRACE_X, {{"res", 0},
                                  {"addr", number(0)},
                                  {"data", number(0)},
                                  {"request", 11},
                                  {"pid", bystander}});
    run.expect(SYSCALL_PTRACE_X, {{"res", 0},
                                  {"addr", number(as_argument(&word))},
                                  {"data", number(0)},
                                  {"request", 3},
                                  {"pid", bystander}});
    run.expect(SYSCALL_PTRACE_X, {{"res", 0},
                                  {"addr", number(0)},
                                  {"data", dynamic(1, static_cast<std::uint8_t>(SIGTERM))},
                                  {"request", 12},
                                  {"pid", bystander}});
    run.expect(
        SYSCALL_PTRACE_X,
        {{"res", -ESRCH}, {"addr", number(0)}, {"data", number(0)}, {"request", 8}, {"pid", -1}});
}

LIVE_TEST(SYSCALL_SECCOMP_X) {
    Run run([] {
        const std::uint32_t action = SECCOMP_RET_KILL_PROCESS;
        call(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action);
        call(SYS_seccomp, 99, 0x10, nullptr);
    });
    if (run.result(0) == -ENOSYS)
        LIVE_SKIP("the kernel has no seccomp", SYSCALL_SECCOMP_X);
    run.expect(SYSCALL_SECCOMP_X, {{"res", 0}, {"op", 2}, {"flags", 0}});
    run.expect(SYSCALL_SECCOMP_X, {{"res", -EINVAL}, {"op", 99}, {"flags", 0x10}});
}

// The call is never made, so no function of it is there to be watched; and yet it was tried.
LIVE_TEST(SYSCALL_CHDIR_X, "refused by a filter") {
    Run run([] {
        sock_filter program[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
                                 BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_chdir, 0, 1),
                                 BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOTTY),
                                 BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
        const sock_fprog filter{static_cast<unsigned short>(std::size(program)), program};
        note(0, prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
                    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0);
        const char path[] = "/tmp"; // on the stack, so no other code brings it to memory
        call(SYS_chdir, path);
    });
    if (!run.note(0))
        LIVE_SKIP("the kernel has no seccomp");
    run.expect(SYSCALL_CHDIR_X, {{"res", -ENOTTY}, {"path", "/tmp"}});
    run.expect_no_more(SYSCALL_CHDIR_X);
}

LIVE_TEST(SYSCALL_UNSHARE_X) {
    Run run([] {
        call(SYS_unshare, CLONE_NEWUTS | CLONE_FS);
        call(SYS_unshare, CLONE_PTRACE); // not one that it takes
    });
    if (run.result(0) < 0)
        LIVE_SKIP("no namespace can be made", SYSCALL_UNSHARE_X);
    run.expect(SYSCALL_UNSHARE_X, {{"res", 0}, {"flags", 1 << 7 | 1 << 1}});
    run.expect(SYSCALL_UNSHARE_X, {{"res", -EINVAL}, {"flags", 1 << 10}});
}

LIVE_TEST(SYSCALL_SETNS_X) {
    Run run([] {
        note(0, open("/proc/self/ns/uts", O_RDONLY));
        call(SYS_setns, note_of(0), CLONE_NEWUTS);
        call(SYS_setns, -1, CLONE_NEWNET);
    });
    if (run.note(0) < 0)
        LIVE_SKIP("the kernel has no namespaces", SYSCALL_SETNS_X);
    run.expect(SYSCALL_SETNS_X, {{"res", 0}, {"fd", run.note(0)}, {"nstype", 1 << 7}});
    run.expect(SYSCALL_SETNS_X, {{"res", -EBADF}, {"fd", -1}, {"nstype", 1 << 4}});
}

LIVE_TEST(SYSCALL_BPF_2_X) {
    Run run([] {
        bpf_attr attributes{};
        attributes.map_type = BPF_MAP_TYPE_ARRAY;
        attributes.key_size = attributes.value_size = 4;
        attributes.max_entries = 1;
        call(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof attributes);
        call(SYS_bpf, 999, nullptr, 0);
    });
    if (run.result(0) < 0)
        LIVE_SKIP("no BPF map can be made", SYSCALL_BPF_2_X);
    run.expect(SYSCALL_BPF_2_X, {{"fd", run.result(0)}, {"cmd", 0}});
    run.expect(SYSCALL_BPF_2_X, {{"fd", run.result(1)}, {"cmd", 999}});
    CHECK(run.result(1) < 0);
}

LIVE_TEST(SYSCALL_IO_URING_SETUP_X) {
    Run run([] {
        io_uring_params params{};
        params.flags = IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP;
        params.cq_entries = 16;
        params.sq_thread_cpu = 3;
        params.sq_thread_idle = 5;
        note(0, call(SYS_io_uring_setup, 4, &params));
        note(1, params.sq_entries);
        note(2, params.cq_entries);
        note(3, params.features);
        call(SYS_io_uring_setup, 0, nullptr);
    });
    if (run.note(0) < 0)
        LIVE_SKIP("no io_uring can be made", SYSCALL_IO_URING_SETUP_X, SYSCALL_IO_URING_ENTER_X,
                  SYSCALL_IO_URING_REGISTER_X);
    run.expect(SYSCALL_IO_URING_SETUP_X, {{"res", run.note(0)},
                                          {"entries", 4},
                                          {"sq_entries", run.note(1)},
                                          {"cq_entries", run.note(2)},
                                          {"flags", 16 | 32},
                                          {"sq_thread_cpu", 3},
                                          {"sq_thread_idle", 5},
                                          {"features", run.note(3)}});
    CHECK((run.note(1) == 4 && run.note(2) == 16));
    run.expect(SYSCALL_IO_URING_SETUP_X, {{"res", run.result(1)},
                                          {"entries", 0},
                                          {"sq_entries", 0},
                                          {"cq_entries", 0},
                                          {"flags", 0},
                                          {"sq_thread_cpu", 0},
                                          {"sq_thread_idle", 0},
                                          {"features", 0}});
    CHECK(run.result(1) < 0);
}

LIVE_TEST(SYSCALL_IO_URING_ENTER_X) {
    Run run([] {
        io_uring_params params{};
        const unsigned long mask = 0x205;
        note(0, syscall(SYS_io_uring_setup, 4, &params));
        call(SYS_io_uring_enter, note_of(0), 0, 0, 0, nullptr, 0);
        call(SYS_io_uring_enter, -1, 2, 3, IORING_ENTER_GETEVENTS | IORING_ENTER_SQ_WAKEUP, &mask,
             sizeof mask);
    });
    if (run.note(0) < 0)
        LIVE_SKIP("no io_uring can be made", SYSCALL_IO_URING_ENTER_X);
    run.expect(SYSCALL_IO_URING_ENTER_X, {{"res", 0},
                                          {"fd", run.note(0)},
                                          {"to_submit", 0},
                                          {"min_complete", 0},
                                          {"flags", 0},
                                          {"sig", 0}});
    run.expect(SYSCALL_IO_URING_ENTER_X, {{"res", -EBADF},
                                          {"fd", -1},
                                          {"to_submit", 2},
                                          {"min_complete", 3},
                                          {"flags", 1 | 2},
                                          {"sig", 0x205}});
}

LIVE_TEST(SYSCALL_IO_URING_REGISTER_X) {
    static int event_fd;
    Run run([] {
        io_uring_params params{};
        note(0, syscall(SYS_io_uring_setup, 4, &params));
        event_fd = static_cast<int>(syscall(SYS_eventfd2, 0, 0));
        call(SYS_io_uring_register, note_of(0), IORING_REGISTER_EVENTFD, &event_fd, 1);
        call(SYS_io_uring_register, -1, IORING_REGISTER_FILES, 0x1234567890, 7);
    });
    if (run.note(0) < 0)
        LIVE_SKIP("no io_uring can be made", SYSCALL_IO_URING_REGISTER_X);
    run.expect(SYSCALL_IO_URING_REGISTER_X, {{"res", 0},
                                             {"fd", run.note(0)},
                                             {"opcode", 4},
                                             {"arg", as_argument(&event_fd)},
                                             {"nr_args", 1}});
    run.expect(
        SYSCALL_IO_URING_REGISTER_X,
        {{"res", run.result(1)}, {"fd", -1}, {"opcode", 2}, {"arg", 0x1234567890}, {"nr_args", 7}});
    CHECK(run.result(1) < 0);
}

LIVE_TEST(SYSCALL_KEYCTL_X) {
    Run run([] {
        const char type[] = "user", description[] = "no such key";
        call(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, "live", 0, 0, 0);
        call(SYS_keyctl, KEYCTL_GET_KEYRING_ID, -3 /* session keyring */, 0, 0, 0);
        call(SYS_keyctl, KEYCTL_SEARCH, -3, type, description, 5);
    });
    if (run.result(0) < 0)
        LIVE_SKIP("the kernel keeps no keys", SYSCALL_KEYCTL_X);
    run.expect(SYSCALL_KEYCTL_X, {{"res", run.result(0)},
                                  {"operation", 1},
                                  {"arg2", text("live")},
                                  {"arg3", number(0)},
                                  {"arg4", number(0)},
                                  {"arg5", number(0)}});
    run.expect(SYSCALL_KEYCTL_X, {{"res", run.result(0)},
                                  {"operation", 0},
                                  {"arg2", number(-3)},
                                  {"arg3", number(0)},
                                  {"arg4", number(0)},
                                  {"arg5", number(0)}});
    run.expect(SYSCALL_KEYCTL_X, {{"res", -ENOKEY},
                                  {"operation", 10},
                                  {"arg2", number(-3)},
                                  {"arg3", text("user")},
                                  {"arg4", text("no such key")},
                                  {"arg5", number(5)}});
}

LIVE_TEST(SYSCALL_FSCONFIG_X) {
    Run run([] {
        const char key[] = "size", value[] = "1M", bytes[] = "\1\2\0\3";
        note(0, syscall(SYS_fsopen, "tmpfs", 0));
        call(SYS_fsconfig, note_of(0), FSCONFIG_SET_STRING, key, value, 0);
        call(SYS_fsconfig, note_of(0), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0);
        call(SYS_fsconfig, -1, FSCONFIG_SET_BINARY, key, bytes, 4);
        call(SYS_fsconfig, -1, FSCONFIG_SET_FD, key, nullptr, 77);
    });
    if (run.note(0) < 0)
        LIVE_SKIP("the kernel has no fsopen", SYSCALL_FSCONFIG_X);
    run.expect(SYSCALL_FSCONFIG_X, {{"res", 0},
                                    {"fd", run.note(0)},
                                    {"cmd", 1},
                                    {"key", "size"},
                                    {"value_bytebuf", kNothing},
                                    {"value_charbuf", "1M"},
                                    {"aux", 0}});
    run.expect(SYSCALL_FSCONFIG_X, {{"res", 0},
                                    {"fd", run.note(0)},
                                    {"cmd", 6},
                                    {"key", kNothing},
                                    {"value_bytebuf", kNothing},
                                    {"value_charbuf", kNothing},
                                    {"aux", 0}});
    run.expect(SYSCALL_FSCONFIG_X, {{"res", run.result(2)},
                                    {"fd", -1},
                                    {"cmd", 2},
                                    {"key", "size"},
                                    {"value_bytebuf", Raw{std::string("\1\2\0\3", 4)}},
                                    {"value_charbuf", kNothing},
                                    {"aux", 4}});
    run.expect(SYSCALL_FSCONFIG_X, {{"res", run.result(3)},
                                    {"fd", -1},
                                    {"cmd", 5},
                                    {"key", "size"},
                                    {"value_bytebuf", kNothing},
                                    {"value_charbuf", kNothing},
                                    {"aux", 77}});
    CHECK((run.result(2) < 0 && run.result(3) < 0));
}

LIVE_TEST(SYSCALL_QUOTACTL_X) {
    Run run([] {
        const char device[] = "/dev/no-such-device", quota_file[] = "/no/quota.file";
        dqblk limits{};
        call(SYS_quotactl, QCMD(Q_SYNC, USRQUOTA), nullptr, 0, nullptr);
        call(SYS_quotactl, QCMD(Q_QUOTAON, GRPQUOTA), device, QFMT_VFS_V0, quota_file);
        call(SYS_quotactl, QCMD(Q_GETQUOTA, USRQUOTA), device, 1001, &limits);
        call(SYS_quotactl, QCMD(Q_GETINFO, GRPQUOTA), device, 5, &limits);
    });
    auto wants = [&](long res, Want special, Want file, long command, long type, long id,
                     long format) {
        const WantParam all[] = {{"res", res},
                                 {"special", special},
                                 {"quotafilepath", file},
                                 {"dqb_bhardlimit", 0},
                                 {"dqb_bsoftlimit", 0},
                                 {"dqb_curspace", 0},
                                 {"dqb_ihardlimit", 0},
                                 {"dqb_isoftlimit", 0},
                                 {"dqb_btime", 0},
                                 {"dqb_itime", 0},
                                 {"dqi_bgrace", 0},
                                 {"dqi_igrace", 0},
                                 {"dqi_flags", 0},
                                 {"quota_fmt_out", 1},
                                 {"cmd", command},
                                 {"type", type},
                                 {"id", id},
                                 {"quota_fmt", format}};
        run.expect_list(run.tid(), SYSCALL_QUOTACTL_X, all);
    };
    if (run.result(0) == -ENOSYS)
        LIVE_SKIP("the kernel has no quotas", SYSCALL_QUOTACTL_X);
    wants(0, kNothing, kNothing, 128, 1, 0, 1);
    wants(run.result(1), "/dev/no-such-device", "/no/quota.file", 1, 2, 0, 4);
    wants(run.result(2), "/dev/no-such-device", kNothing, 32, 1, 1001, 1);
    wants(run.result(3), "/dev/no-such-device", kNothing, 8, 2, 0, 1);
    CHECK((run.result(1) < 0 && run.result(2) < 0 && run.result(3) < 0));
}

// Modules are only refused here: a test must not load one.
LIVE_TEST(SYSCALL_INIT_MODULE_X) {
    Run run([] {
        const char image[] = "this is no module", parameters[] = "a=1 b=2";
        call(SYS_init_module, image, sizeof image, parameters);
    });
    run.expect(SYSCALL_INIT_MODULE_X, {{"res", run.result(0)},
                                       {"img", texts("this is no module")},
                                       {"length", 18},
                                       {"uargs", "a=1 b=2"}});
    CHECK(run.result(0) < 0);
}

LIVE_TEST(SYSCALL_FINIT_MODULE_X) {
    Run run([] {
        const char parameters[] = "c=3";
        call(SYS_finit_module, -1, parameters, 1 | 2);
    });
    run.expect(SYSCALL_FINIT_MODULE_X,
               {{"res", run.result(0)}, {"fd", -1}, {"uargs", "c=3"}, {"flags", 3}});
    CHECK(run.result(0) < 0);
}

LIVE_TEST(SYSCALL_DELETE_MODULE_X) {
    Run run([] {
        const char name[] = "no_such_module";
        call(SYS_delete_module, name, O_NONBLOCK | O_TRUNC);
        call(SYS_delete_module, name, O_NONBLOCK);
    });
    run.expect(SYSCALL_DELETE_MODULE_X,
               {{"res", run.result(0)}, {"name", "no_such_module"}, {"flags", 1 | 2}});
    run.expect(SYSCALL_DELETE_MODULE_X,
               {{"res", run.result(1)}, {"name", "no_such_module"}, {"flags", 2}});
    CHECK((run.result(0) < 0 && run.result(1) < 0));
}

} // namespace tiercel::live
