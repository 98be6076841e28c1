// SPDX-License-Identifier: Apache-2.0
//
// What a container needs beyond the lists of start_syscalls.h: its runtime installs the filter
// before it has finished its own work, and there is no service manager that makes the socket.
// packaging/container's seccomp profiles are made of all of these. Seen with crun; runc's steps
// are those of its libcontainer.
#pragma once

#include "policy/privilege/seccomp.h"

namespace tiercel::policy {

// clang-format off
constexpr Allow kRuntimeStart[] = {
    {"become the container's user", {SCMP_SYS(capget), SCMP_SYS(capset), SCMP_SYS(setgroups),
     SCMP_SYS(setresgid), SCMP_SYS(setresuid), SCMP_SYS(setgid), SCMP_SYS(setuid),
     SCMP_SYS(getuid), SCMP_SYS(getgid), SCMP_SYS(getppid), SCMP_SYS(prctl), SCMP_SYS(umask)}},
    {"the working directory, and the program's path", {SCMP_SYS(chdir), SCMP_SYS(fchdir),
     SCMP_SYS(getcwd), SCMP_SYS(openat), SCMP_SYS(newfstatat), SCMP_SYS(statx), SCMP_SYS(fstatfs)}},
    {"close what is the runtime's", {SCMP_SYS(close_range), SCMP_SYS(getdents64),
     SCMP_SYS(fcntl), SCMP_SYS(dup2), SCMP_SYS(dup3)}},
    {"Go's scheduler, in runc", {SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_pwait), SCMP_SYS(eventfd2),
     SCMP_SYS(sigaltstack), SCMP_SYS(futex), SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask),
     SCMP_SYS(rt_sigreturn), SCMP_SYS(nanosleep), SCMP_SYS(tgkill), SCMP_SYS(gettid),
     SCMP_SYS(getpid)}},
    {"runc, after the filter is on: whether /proc is a procfs", {SCMP_SYS(fstatfs)}},
};

constexpr Allow kAnalyzerListen[] = {
    {"the socket of the metrics, by tiercel-listen", {SCMP_SYS(bind), SCMP_SYS(listen)}},
};

constexpr Allow kPrivdListen[] = {
    {"its own socket, in place of one left behind", {SCMP_SYS(bind), SCMP_SYS(listen),
     SCMP_SYS(unlink)}},
    {"wait there without privilege, where the file gives it back", {SCMP_SYS(getxattr), SCMP_SYS(poll), SCMP_SYS(ppoll)}},
};

// clang-format on

} // namespace tiercel::policy
