// SPDX-License-Identifier: Apache-2.0
//
// The system calls of the analyzer's helper processes, which read the rules and the accounts again
// when the sandboxed analyzer can open no file any more. They open files for reading only, and
// have no socket but their end of the pair to the analyzer.
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
