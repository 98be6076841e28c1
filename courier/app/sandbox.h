// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "courier/config/config.h"
#include "shared/os/result.h"

namespace tiercel::courier {

// Gives up everything but the network, the spool's directory and the files that libraries read:
// capabilities, new privileges, files (Landlock), system calls (seccomp). Call before any thread is
// started.
os::Result<void> enter_sandbox(const Config& config);

} // namespace tiercel::courier
