// SPDX-License-Identifier: Apache-2.0
//
// The system calls of the courier, from before it takes its first alert. It has the network, its
// spool and threads, because the libraries that speak the receivers' protocols start some. It
// starts no program: what program destinations start is a child's work, which was forked before.
#pragma once

#include "policy/privilege/seccomp.h"

namespace tiercel::policy {

// clang-format off
constexpr Allow kCourierSteady[] = {
    {"connections to receivers, the resolver and its routes", {SCMP_SYS(socket)}, Only::network_socket},
    {"channels between the threads of libraries", {SCMP_SYS(socketpair), SCMP_SYS(pipe2), SCMP_SYS(pipe),
     SCMP_SYS(eventfd2)}},
    {"the same", {SCMP_SYS(connect), SCMP_SYS(bind), SCMP_SYS(getsockname), SCMP_SYS(getpeername), SCMP_SYS(getsockopt),
     SCMP_SYS(setsockopt), SCMP_SYS(shutdown), SCMP_SYS(ioctl)}},
    {"alerts, questions for names, answers", {SCMP_SYS(sendto), SCMP_SYS(sendmsg), SCMP_SYS(sendmmsg), SCMP_SYS(recvfrom),
     SCMP_SYS(recvmsg), SCMP_SYS(recvmmsg)}},
    {"take an analyzer, and see who it is", {SCMP_SYS(accept4)}},
    {"wait for any of them", {SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(select), SCMP_SYS(pselect6),
     SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(restart_syscall)}},
    {"the spool, the resolver's files, certificates; Landlock knows which", {SCMP_SYS(openat), SCMP_SYS(open), SCMP_SYS(read),
     SCMP_SYS(readv), SCMP_SYS(pread64), SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(pwrite64), SCMP_SYS(lseek),
     SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(stat), SCMP_SYS(statx), SCMP_SYS(access), SCMP_SYS(faccessat),
     SCMP_SYS(faccessat2), SCMP_SYS(getdents64), SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(fcntl),
     SCMP_SYS(close), SCMP_SYS(fadvise64)}},
    {"the spool's files come and go", {SCMP_SYS(unlinkat), SCMP_SYS(renameat), SCMP_SYS(ftruncate), SCMP_SYS(fdatasync),
     SCMP_SYS(fsync)}},
    {"threads of the destinations and of libraries", {SCMP_SYS(clone3), SCMP_SYS(clone), SCMP_SYS(set_robust_list), SCMP_SYS(rseq),
     SCMP_SYS(futex), SCMP_SYS(prctl), SCMP_SYS(sched_getaffinity), SCMP_SYS(sched_yield), SCMP_SYS(exit)}},
    {"memory; modules of the name service", {SCMP_SYS(mmap), SCMP_SYS(mprotect), SCMP_SYS(munmap), SCMP_SYS(mremap),
     SCMP_SYS(madvise), SCMP_SYS(brk)}},
    {"time and pauses", {SCMP_SYS(clock_gettime), SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep), SCMP_SYS(gettimeofday)}},
    {"keys, back-off", {SCMP_SYS(getrandom)}},
    {"signals, and who this is", {SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
     SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid),
     SCMP_SYS(uname), SCMP_SYS(sysinfo)}},
    {"abort()", {SCMP_SYS(tgkill)}, Only::itself},
    {"end", {SCMP_SYS(exit_group)}},
};

// From its exec until then, for the manager's filter: as in start_syscalls.h.
constexpr Allow kCourierStart[] = {
    {"the manager's last step", {SCMP_SYS(execve), SCMP_SYS(execveat)}},
    {"the loader and the C library", {SCMP_SYS(arch_prctl), SCMP_SYS(set_tid_address), SCMP_SYS(prlimit64), SCMP_SYS(getcwd)}},
    {"the lock of the spool", {SCMP_SYS(flock)}},
    {"the sandbox itself", {SCMP_SYS(seccomp), SCMP_SYS(landlock_create_ruleset), SCMP_SYS(landlock_add_rule),
     SCMP_SYS(landlock_restrict_self), SCMP_SYS(close_range)}},
    {"the launcher of program destinations, and what shells and curl need besides", {SCMP_SYS(vfork), SCMP_SYS(wait4),
     SCMP_SYS(dup2), SCMP_SYS(dup3), SCMP_SYS(dup), SCMP_SYS(getppid), SCMP_SYS(getpgrp), SCMP_SYS(getpgid), SCMP_SYS(sigaltstack),
     SCMP_SYS(rt_sigsuspend), SCMP_SYS(umask), SCMP_SYS(chdir), SCMP_SYS(alarm)}},
};

// Without a service manager it makes its socket itself.
constexpr Allow kCourierListen[] = {
    {"its own socket, in place of one left behind", {SCMP_SYS(bind), SCMP_SYS(listen), SCMP_SYS(unlink), SCMP_SYS(umask)}},
};

// clang-format on

} // namespace tiercel::policy
