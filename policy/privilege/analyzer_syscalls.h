// SPDX-License-Identifier: Apache-2.0
//
// The system calls of the analyzer, from before it looks at the first event until it ends. There is
// no open, socket, connect, bind, exec, fork, clone, ptrace, bpf, ioctl or executable memory: what
// it works with, it has opened or received before. stdio has to have written once before (glibc
// asks ioctl(TCGETS) at the first use of a terminal), or not be used.
#pragma once

#include "policy/privilege/seccomp.h"

namespace tiercel::policy {

// clang-format off
constexpr Allow kAnalyzerSteady[] = {
    {"iterators, timers, signals, captures, files from the door", {SCMP_SYS(read), SCMP_SYS(readv),
     SCMP_SYS(pread64)}},
    {"events, alerts, statistics", {SCMP_SYS(write), SCMP_SYS(writev)}},
    {"nothing is lost at the end", {SCMP_SYS(fsync), SCMP_SYS(fdatasync)}},
    {"what an fd is", {SCMP_SYS(fstat)}},
    {"stdio's fstat(), which can do without; it would be stat of any path", {SCMP_SYS(newfstatat)}, Only::failing},
    {"the name that abseil, which RE2 uses from its version 10 on, gives to its memory; it can do without",
     {SCMP_SYS(prctl)}, Only::failing},
    {"release fds", {SCMP_SYS(close)}},
    {"answers of privd and the enricher", {SCMP_SYS(recvmsg)}},
    {"questions to them; alerts to sockets, programs, syslog; no descriptor and no other address", {SCMP_SYS(sendto)},
     Only::connected},
    {"wait for rings, timers, signals", {SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait),
     SCMP_SYS(epoll_ctl), SCMP_SYS(timerfd_settime)}},
    {"time, where the vDSO cannot tell", {SCMP_SYS(clock_gettime)}},
    {"back off, and go on after a stop", {SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep),
     SCMP_SYS(sched_yield), SCMP_SYS(restart_syscall)}},
    {"locks of the C++ runtime, threads that write alerts", {SCMP_SYS(futex)}},
    {"memory", {SCMP_SYS(mmap), SCMP_SYS(mprotect)}, Only::not_executable},
    {"memory", {SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(brk)}},
    {"hash seeds, glibc's malloc", {SCMP_SYS(getrandom)}},
    {"signals, abort()", {SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
     SCMP_SYS(getpid), SCMP_SYS(gettid)}},
    {"abort()", {SCMP_SYS(tgkill)}, Only::itself},
    {"end", {SCMP_SYS(exit), SCMP_SYS(exit_group)}},
};

// Besides, with an alert file: SIGHUP has it opened again in its directory (Landlock knows which),
// by the name it was given at the start.
constexpr Allow kAnalyzerAlertFile[] = {
    {"the alert file after it was moved away", {SCMP_SYS(openat)}, Only::appending},
};

// Besides, with captures in several files: the oldest is used again. All are open from the start.
constexpr Allow kAnalyzerOverwrite[] = {
    {"captures that are overwritten", {SCMP_SYS(ftruncate), SCMP_SYS(lseek)}},
};

// Besides, with captures that have their alerts' names: the file that is used again gets the new
// name. Landlock knows the directory.
constexpr Allow kAnalyzerNamedCaptures[] = {
    {"captures with their alerts' names", {SCMP_SYS(renameat)}},
};

// Besides, when a listening socket was passed for metrics.
constexpr Allow kAnalyzerMetrics[] = {
    {"take a reader of the metrics", {SCMP_SYS(accept4)}},
};

// clang-format on

} // namespace tiercel::policy
