// SPDX-License-Identifier: Apache-2.0
//
// The system calls of each process from its exec until its own, narrower filter closes. A service
// manager installs its filter before the exec, so that filter has to allow these and the process's
// own list too: packaging/systemd makes SystemCallFilter= of both. The processes do not read this.
//
// What systemd itself always permits (its group @default: memory, time, exit, execve and the like)
// stands here as well, so that each list is whole for other managers.
#pragma once

#include "policy/privilege/seccomp.h"

namespace tiercel::policy {

// clang-format off
constexpr Allow kAnalyzerStart[] = {
    {"the manager's last step", {SCMP_SYS(execve), SCMP_SYS(execveat)}},
    {"the loader and the C library", {SCMP_SYS(arch_prctl), SCMP_SYS(access), SCMP_SYS(faccessat),
     SCMP_SYS(faccessat2), SCMP_SYS(rseq), SCMP_SYS(set_tid_address), SCMP_SYS(set_robust_list),
     SCMP_SYS(readlink), SCMP_SYS(readlinkat)}},
    {"rules, configuration, accounts, outputs", {SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(stat),
     SCMP_SYS(statx), SCMP_SYS(getdents64), SCMP_SYS(getcwd), SCMP_SYS(fcntl), SCMP_SYS(ftruncate),
     SCMP_SYS(umask), SCMP_SYS(uname)}},
    {"what standard output is", {SCMP_SYS(ioctl)}},
    {"how much memory the machine has, for the heads of captures", {SCMP_SYS(sysinfo)}},
    {"privd, syslog, the manager's notification socket, outputs", {SCMP_SYS(socket),
     SCMP_SYS(connect), SCMP_SYS(getsockopt), SCMP_SYS(setsockopt), SCMP_SYS(getsockname),
     SCMP_SYS(getpeername), SCMP_SYS(sendto), SCMP_SYS(shutdown)}},
    {"the helper for names: the name service asks its daemons, and reads what links lead to",
     {SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(lstat), SCMP_SYS(pread64), SCMP_SYS(ppoll),
      SCMP_SYS(timerfd_settime)}},
    {"the loop", {SCMP_SYS(epoll_create1), SCMP_SYS(eventfd2), SCMP_SYS(timerfd_create),
     SCMP_SYS(pipe2), SCMP_SYS(poll)}},
    {"the channel to an alert program, and its start: without these an analyzer that is told to start one would be killed, "
     "where an error says that the unit does not let it", {SCMP_SYS(socketpair), SCMP_SYS(dup2), SCMP_SYS(dup3),
     SCMP_SYS(vfork), SCMP_SYS(wait4)}},
    {"connections that a connector makes again for an output", {SCMP_SYS(sendmsg)}},
    {"a thread for each output", {SCMP_SYS(clone), SCMP_SYS(clone3), SCMP_SYS(sched_getaffinity)}},
    {"the end of the child that reads command lines, when a process blocks it", {SCMP_SYS(kill)}},
    {"who this is, and what it holds", {SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid),
     SCMP_SYS(getegid), SCMP_SYS(capget)}},
    {"what the manager keeps for the next analyzer, and marking a crash for it", {SCMP_SYS(memfd_create),
     SCMP_SYS(sendmsg), SCMP_SYS(pwrite64), SCMP_SYS(sigaltstack)}},
    {"the sandbox itself", {SCMP_SYS(prctl), SCMP_SYS(seccomp), SCMP_SYS(prlimit64),
     SCMP_SYS(landlock_create_ruleset), SCMP_SYS(landlock_add_rule),
     SCMP_SYS(landlock_restrict_self), SCMP_SYS(close_range)}},
    {"libraries of the dynamic loader, captures", {SCMP_SYS(lseek)}},
    {"a capture that is replayed, which is read in order", {SCMP_SYS(fadvise64)}},
};

constexpr Allow kPrivdStart[] = {
    {"the manager's last step", {SCMP_SYS(execve), SCMP_SYS(execveat)}},
    {"the loader and the C library", {SCMP_SYS(arch_prctl), SCMP_SYS(access), SCMP_SYS(rseq),
     SCMP_SYS(set_tid_address), SCMP_SYS(set_robust_list), SCMP_SYS(futex), SCMP_SYS(exit)}},
    {"the peer's account, and facts about the kernel", {SCMP_SYS(open), SCMP_SYS(stat),
     SCMP_SYS(statx), SCMP_SYS(readlink), SCMP_SYS(readlinkat)}},
    {"the C library looks for a cache of accounts", {SCMP_SYS(socket), SCMP_SYS(connect)}},
    {"who this is", {SCMP_SYS(getuid), SCMP_SYS(getgid), SCMP_SYS(getegid)}},
    {"privd-types, and what it writes", {SCMP_SYS(memfd_create), SCMP_SYS(clone), SCMP_SYS(wait4),
     SCMP_SYS(dup2), SCMP_SYS(dup3), SCMP_SYS(close_range), SCMP_SYS(fcntl), SCMP_SYS(rt_sigprocmask)}},
    {"say which call was refused", {SCMP_SYS(rt_sigaction)}},
};

// clang-format on

} // namespace tiercel::policy
