// SPDX-License-Identifier: Apache-2.0
//
// The system calls of the enricher, from before it takes its first peer. It can reach Unix sockets,
// for a runtime that was started anew is a new connection; which of them, the files' permissions
// and its unit's or container's view of the file system decide.
#pragma once

#include "policy/privilege/seccomp.h"

namespace tiercel::policy {

// clang-format off
constexpr Allow kEnricherSteady[] = {
    {"take a peer, see who it is, limit its time", {SCMP_SYS(accept4), SCMP_SYS(getsockopt),
     SCMP_SYS(setsockopt)}},
    {"a connection to a runtime", {SCMP_SYS(socket)}, Only::unix_socket},
    {"the same", {SCMP_SYS(connect)}},
    {"questions", {SCMP_SYS(recvmsg)}},
    {"answers, and requests to a runtime; no descriptor", {SCMP_SYS(sendto)}, Only::connected},
    {"the runtime's bytes", {SCMP_SYS(read)}},
    {"wait for either", {SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(restart_syscall)}},
    {"release fds", {SCMP_SYS(close)}},
    {"how long, where the vDSO cannot tell", {SCMP_SYS(clock_gettime)}},
    {"one error line, and leave", {SCMP_SYS(write), SCMP_SYS(exit_group)}},
};

// From its exec until then, for the manager's filter: as in start_syscalls.h.
constexpr Allow kEnricherStart[] = {
    {"the manager's last step", {SCMP_SYS(execve), SCMP_SYS(execveat)}},
    {"the loader and the C library", {SCMP_SYS(arch_prctl), SCMP_SYS(access), SCMP_SYS(rseq),
     SCMP_SYS(set_tid_address), SCMP_SYS(set_robust_list), SCMP_SYS(futex), SCMP_SYS(exit),
     SCMP_SYS(openat), SCMP_SYS(pread64), SCMP_SYS(lseek), SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(mmap),
     SCMP_SYS(mprotect), SCMP_SYS(munmap), SCMP_SYS(brk), SCMP_SYS(getrandom),
     SCMP_SYS(prlimit64), SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(statx)}},
    {"who this is, and give the rest up", {SCMP_SYS(geteuid), SCMP_SYS(getpid),
     SCMP_SYS(prctl), SCMP_SYS(seccomp), SCMP_SYS(close_range), SCMP_SYS(fcntl),
     SCMP_SYS(rt_sigaction)}},
};

// Without a service manager it makes its socket itself.
constexpr Allow kEnricherListen[] = {
    {"its own socket, in place of one left behind", {SCMP_SYS(bind), SCMP_SYS(listen),
     SCMP_SYS(unlink), SCMP_SYS(umask)}},
};

// clang-format on

} // namespace tiercel::policy
