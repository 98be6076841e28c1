// SPDX-License-Identifier: Apache-2.0
//
// Reads the system call at which a traced thread has stopped, by PTRACE_GET_SYSCALL_INFO
// (Linux 5.3) or, on older kernels, from the thread's registers.
#pragma once

#include <sys/types.h>

#include "ptrace/interpreter.h"
#include "shared/os/result.h"

namespace tiercel::ptrace {

struct CallStop {
    enum Kind { entry, exit, unknown_abi } kind = unknown_abi;
    user_call call{};     // set at the entry
    long long result = 0; // set at the exit
};

// `returns` says which stop it is, because registers do not tell; a kernel with
// PTRACE_GET_SYSCALL_INFO does. The error is ESRCH if the thread has been killed meanwhile.
os::Result<CallStop> read_call_stop(pid_t tid, bool returns);

} // namespace tiercel::ptrace
