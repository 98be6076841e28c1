// SPDX-License-Identifier: Apache-2.0
//
// The seccomp filter of a started command. Wanted system calls, execs and clones stop for the
// tracer; all others run at full speed. The filter stays with the command and its descendants for
// good. Without a tracer its stops fail with ENOSYS, which is why the tracer sets
// PTRACE_O_EXITKILL.
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <span>
#include <vector>

#include "shared/os/result.h"

namespace tiercel::ptrace {

// Makes the program for the native ABI and, on x86-64, for i386 and x32. Bit N of `interest` stands
// for native number N.
std::vector<sock_filter> make_filter(std::span<const std::uint64_t> interest);

// Installs the program on this thread. Sets no_new_privs unless the thread has CAP_SYS_ADMIN.
os::Result<void> install_filter(std::span<const sock_filter> program);

} // namespace tiercel::ptrace
