// SPDX-License-Identifier: Apache-2.0
//
// Sandbox: everything given up, once and for good, before the first byte that an attacker may have
// chosen is looked at. Afterwards this process can use only the descriptors that it has open.
#pragma once

#include <functional>
#include <span>

#include "shared/os/result.h"

namespace tiercel::app {

struct Confinement {
    int landlock_abi = 0; // 0: the kernel has none
    unsigned uid = 0;
};

// What has to stay possible. The pointers must be valid during the call.
struct Needs {
    unsigned more_fds = 0;         // fds that will still be opened or received
    std::span<const int> writable; // directories in which the alert file may be made again
    std::span<const int> renaming; // directories in which captures get other names
    bool overwrite = false;        // files that are open will be emptied and written again
    // Starts the threads that write alerts. They inherit what concerns a single thread; no other
    // may be there before.
    std::function<void()> start_threads;
    bool listens = false; // a listening socket is open, and takes connections
    // uid 0 without capabilities is accepted: nothing of what it may read can be opened.
    bool root_too = false;
};

// In this order: capabilities (ambient, bounding as far as it may, inheritable, permitted,
// effective), no_new_privs, dumpable off, Landlock, the threads, resource limits (no new process,
// no core file, few file descriptors), and the seccomp allowlist of policy/, which kills on any
// other call, on all threads. Refuses (EPERM) when the process runs as uid 0, unless `root_too`.
os::Result<Confinement> enter_sandbox(const Needs& needs);

} // namespace tiercel::app
