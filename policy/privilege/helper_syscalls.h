// SPDX-License-Identifier: Apache-2.0
//
// The system calls of the analyzer's helper processes, which read the rules and the accounts again
// when the sandboxed analyzer can open no file any more. They open files for reading only. The
// helper for rules has no socket but its end of the pair to the analyzer; the helper for names
// makes Unix sockets too, because the name service asks its daemons over them.
#pragma once

#include "policy/privilege/seccomp.h"

namespace tiercel::policy {

// clang-format off
constexpr Allow kHelperSteady[] = {
    {"questions, files", {SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(lseek)}},
    {"answers, one error line", {SCMP_SYS(write), SCMP_SYS(writev)}},
    {"rule files, /etc/passwd, /etc/group", {SCMP_SYS(open), SCMP_SYS(openat)}, Only::reading},
    {"whether a file has changed, what a directory holds", {SCMP_SYS(stat), SCMP_SYS(fstat), SCMP_SYS(newfstatat),
     SCMP_SYS(statx), SCMP_SYS(getdents64), SCMP_SYS(getcwd), SCMP_SYS(fcntl)}},
    {"release fds", {SCMP_SYS(close)}},
    {"wait for a question", {SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(restart_syscall)}},
    {"time, where the vDSO cannot tell", {SCMP_SYS(clock_gettime)}},
    {"memory", {SCMP_SYS(mmap), SCMP_SYS(mprotect)}, Only::not_executable},
    {"memory", {SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(brk)}},
    {"locks of the C++ runtime, malloc", {SCMP_SYS(futex), SCMP_SYS(getrandom)}},
    {"abort()", {SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(getpid),
     SCMP_SYS(gettid)}},
    {"abort()", {SCMP_SYS(tgkill)}, Only::itself},
    {"end", {SCMP_SYS(exit_group)}},
};
// The system calls of the analyzer's helper for names. It runs the modules of the name service that
// /etc/nsswitch.conf names, so a call that is not listed fails.
constexpr Allow kNamesSteady[] = {
    {"questions, files", {SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(pread64), SCMP_SYS(lseek)}},
    {"answers, one error line", {SCMP_SYS(write), SCMP_SYS(writev)}},
    {"accounts, records of userdb, modules of the name service", {SCMP_SYS(open), SCMP_SYS(openat)}, Only::reading},
    {"whether a file has changed, what a directory holds", {SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(fstat),
     SCMP_SYS(newfstatat), SCMP_SYS(statx), SCMP_SYS(access), SCMP_SYS(readlink), SCMP_SYS(readlinkat),
     SCMP_SYS(getdents64), SCMP_SYS(fcntl)}},
    {"the daemons of the name service: nscd, sssd, systemd", {SCMP_SYS(socket)}, Only::unix_socket},
    {"the same", {SCMP_SYS(connect), SCMP_SYS(sendto), SCMP_SYS(sendmsg), SCMP_SYS(recvfrom), SCMP_SYS(recvmsg),
     SCMP_SYS(getsockopt), SCMP_SYS(setsockopt), SCMP_SYS(getpeername), SCMP_SYS(getsockname)}},
    {"their answers", {SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait),
     SCMP_SYS(timerfd_create), SCMP_SYS(timerfd_settime)}},
    {"release fds", {SCMP_SYS(close)}},
    {"wait for a question", {SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(restart_syscall)}},
    {"time", {SCMP_SYS(clock_gettime)}},
    {"memory, and a module that nsswitch.conf names later", {SCMP_SYS(mmap)}, Only::not_both},
    {"memory", {SCMP_SYS(mprotect)}, Only::not_executable},
    {"memory", {SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(brk)}},
    {"locks of the C++ runtime, malloc", {SCMP_SYS(futex), SCMP_SYS(getrandom)}},
    {"who this is", {SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getpid), SCMP_SYS(gettid)}},
    {"abort()", {SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn)}},
    {"abort()", {SCMP_SYS(tgkill)}, Only::itself},
    {"end", {SCMP_SYS(exit_group)}},
};

// The system calls of the analyzer's connector processes, which make a connection to one Unix
// socket again that has broken, and pass it to the analyzer.
constexpr Allow kConnectorSteady[] = {
    {"requests", {SCMP_SYS(read), SCMP_SYS(restart_syscall)}},
    {"a new connection, and how long its calls may take", {SCMP_SYS(socket)}, Only::unix_socket},
    {"the same", {SCMP_SYS(connect), SCMP_SYS(setsockopt)}},
    {"pass it on", {SCMP_SYS(sendmsg)}},
    {"release fds", {SCMP_SYS(close)}},
    {"end", {SCMP_SYS(exit), SCMP_SYS(exit_group)}},
};

// clang-format on

} // namespace tiercel::policy
