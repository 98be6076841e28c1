// SPDX-License-Identifier: Apache-2.0
//
// Implements seccomp lists: makes a filter of one, installs it, and names a call that was refused.
#include "policy/privilege/seccomp.h"

#include <linux/bpf.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>

namespace tiercel::policy {

namespace {

// What privd and libbpf 1.1 to 1.6 ask of bpf(2). BPF_TOKEN_CREATE is younger than the headers that
// Tiercel is built with; libbpf tries it from 1.5 on where /sys/fs/bpf is mounted.
constexpr int kBpfTokenCreate = 36;
constexpr int kBpfCommands[] = {
    BPF_MAP_CREATE,  BPF_MAP_LOOKUP_ELEM,     BPF_MAP_UPDATE_ELEM, BPF_MAP_FREEZE,
    BPF_PROG_LOAD,   BPF_PROG_BIND_MAP,       BPF_BTF_LOAD,        BPF_OBJ_GET_INFO_BY_FD,
    BPF_LINK_CREATE, BPF_RAW_TRACEPOINT_OPEN, BPF_ITER_CREATE,     kBpfTokenCreate};

constexpr scmp_datum_t kLowWord = 0xffffffff; // of an argument that the kernel takes as int

// Adds one rule: the call is allowed if all checks hold.
bool allow(scmp_filter_ctx filter, int call, std::initializer_list<scmp_arg_cmp> checks) {
    return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, call,
                                  static_cast<unsigned>(checks.size()), checks.begin()) == 0;
}

bool allow_bpf(scmp_filter_ctx filter, int call) {
    for (int command : kBpfCommands)
        if (!allow(filter, call,
                   {{0, SCMP_CMP_MASKED_EQ, kLowWord, static_cast<scmp_datum_t>(command)}}))
            return false;
    return true;
}

bool allow_network(scmp_filter_ctx filter, int call) {
    for (const int domain : {AF_INET, AF_INET6, AF_NETLINK, AF_UNIX})
        if (!allow(filter, call, {{0, SCMP_CMP_EQ, static_cast<scmp_datum_t>(domain), 0}}))
            return false;
    return true;
}

bool add_call(scmp_filter_ctx filter, int call, Only only) {
    switch (only) {
    case Only::anything: return allow(filter, call, {});
    case Only::not_executable: return allow(filter, call, {{2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0}});
    case Only::not_both:
        return allow(filter, call, {{2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0}}) &&
               allow(filter, call, {{2, SCMP_CMP_MASKED_EQ, PROT_WRITE, 0}});
    case Only::itself:
        return allow(filter, call, {{0, SCMP_CMP_EQ, static_cast<scmp_datum_t>(getpid()), 0}});
    case Only::appending:
        return allow(filter, call,
                     {{2, SCMP_CMP_EQ, kReopenFlags, 0}, {3, SCMP_CMP_EQ, kReopenMode, 0}});
    case Only::reading: {
        const unsigned flags = call == SCMP_SYS(open) ? 1 : 2;
        return allow(filter, call,
                     {{flags, SCMP_CMP_MASKED_EQ, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY}});
    }
    case Only::of_the_module: return allow(filter, call, {{1, SCMP_CMP_MASKED_EQ, 0xff00, 0xf700}});
    case Only::unix_socket: return allow(filter, call, {{0, SCMP_CMP_EQ, AF_UNIX, 0}});
    case Only::network_socket: return allow_network(filter, call);
    case Only::connected: return allow(filter, call, {{4, SCMP_CMP_EQ, 0, 0}});
    case Only::bpf_commands: return allow_bpf(filter, call);
    case Only::failing: return seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), call, 0) == 0;
    }
    return false;
}

// The call that ends a process for good: nothing needs it, and Refused::report forbids it.
constexpr int kFatalCall = SCMP_SYS(kill);

const char* reported_program = "";

// Handles SIGSYS: says which call was refused, then makes the fatal call. The name comes last
// because libseccomp allocates memory for it.
void report(int, siginfo_t* info, void*) {
    os::write_stderr("%s: killed by its seccomp filter: system call %d", reported_program,
                     info->si_syscall);
    char* name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, info->si_syscall);
    os::write_stderr(" (%s)\n", name != nullptr ? name : "unknown");
    for (;;) {
        syscall(SYS_kill, getpid(), SIGSYS);
        syscall(SYS_exit_group, 128 + SIGSYS);
    }
}

std::uint32_t default_action(Refused refused) {
    switch (refused) {
    case Refused::kill: break;
    case Refused::report: return SCMP_ACT_TRAP;
    case Refused::fail: return SCMP_ACT_ERRNO(EPERM);
    }
    return SCMP_ACT_KILL_PROCESS;
}

} // namespace

scmp_filter_ctx make_filter(std::span<const Allow> list, Refused refused) {
    bool reports = refused == Refused::report;
    scmp_filter_ctx filter = seccomp_init(default_action(refused));
    bool good = filter != nullptr &&
                seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) == 0 &&
                seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1) == 0;
    if (good && reports)
        good = seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, kFatalCall, 0) == 0;
    for (const auto& [why, calls, only] : list)
        for (int call : calls)
            good = good && add_call(filter, call, only);
    if (!good)
        seccomp_release(filter);
    return good ? filter : nullptr;
}

os::Result<void> allow_only(std::span<const Allow> list, Refused refused) {
    scmp_filter_ctx filter = make_filter(list, refused);
    int failure = filter != nullptr ? seccomp_load(filter) : -EINVAL;
    seccomp_release(filter);
    if (failure != 0)
        return os::error("install a seccomp filter", {}, -failure);
    return {};
}

void report_refused_calls(const char* program) {
    reported_program = program;
    struct sigaction action {};
    action.sa_sigaction = report;
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGSYS, &action, nullptr);
}

} // namespace tiercel::policy
