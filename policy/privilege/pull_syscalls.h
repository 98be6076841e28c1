// SPDX-License-Identifier: Apache-2.0
//
// The system calls of the process that unpacks pulled rules. It has a tarball in memory and an open
// directory; Landlock lets it write there and nowhere else.
#pragma once

#include "policy/privilege/seccomp.h"

namespace tiercel::policy {

// clang-format off
constexpr Allow kUnpack[] = {
    {"the rule files", {SCMP_SYS(openat), SCMP_SYS(write), SCMP_SYS(fsync), SCMP_SYS(close)}},
    {"memory", {SCMP_SYS(mmap)}, Only::not_executable},
    {"the same", {SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(brk)}},
    {"libarchive asks for the time zone's file and the time; it can do without", {SCMP_SYS(newfstatat), SCMP_SYS(fstat),
     SCMP_SYS(read), SCMP_SYS(lseek), SCMP_SYS(clock_gettime)}},
    {"abort()", {SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(getpid), SCMP_SYS(gettid)}},
    {"the same", {SCMP_SYS(tgkill)}, Only::itself},
    {"end", {SCMP_SYS(exit_group)}},
};
// clang-format on

} // namespace tiercel::policy
