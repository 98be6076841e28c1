// SPDX-License-Identifier: Apache-2.0
//
// The seccomp filter of a started command: system calls of interest, and execs and clones, stop for
// the tracer; all others run as if nobody watched. It stays with the command and its descendants
// for good, and without their tracer what it stops fails with ENOSYS: hence PTRACE_O_EXITKILL.
#pragma once

#include "shared/os/result.h"

#include <cstdint>
#include <linux/filter.h>
#include <span>
#include <vector>

namespace tiercel::ptrace {

// The program for the native ABI and, on x86-64, i386's and x32's. `interest`: bit N: native number
// N.
std::vector<sock_filter> make_filter(std::span<const std::uint64_t> interest);

// Installs the program on this thread. Sets no_new_privs unless CAP_SYS_ADMIN makes that needless.
os::Result<void> install_filter(std::span<const sock_filter> program);

} // namespace tiercel::ptrace
