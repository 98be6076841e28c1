// SPDX-License-Identifier: Apache-2.0
//
// Sandbox: everything given up, once and for good, before the first byte that an attacker may have
// chosen is looked at. Afterwards this process can use what it has open, and no more.
#pragma once

#include "shared/os/result.h"

namespace tiercel::app {

struct Confinement {
    int landlock_abi = 0; // 0: the kernel has none
    unsigned uid = 0;
};

// Refuses (EPERM) when the process runs as uid 0. In this order: capabilities (ambient, bounding as
// far as it may, inheritable, permitted, effective), no_new_privs, dumpable off, Landlock, resource
// limits (no new process, no core file, `more_fds` more file descriptors), and the seccomp
// allowlist of policy/, which kills on any other call. There must be no other thread yet: all of
// this concerns the calling one.
os::Result<Confinement> enter_sandbox(unsigned more_fds);

} // namespace tiercel::app
