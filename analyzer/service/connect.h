// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/os/result.h"
#include "shared/os/unique_fd.h"

namespace tiercel::app {

// Connects to the sequenced-packet socket at `path`. Waits up to three seconds for a listener,
// because containers, and units without socket activation, are started all at once.
os::Result<os::UniqueFd> connect_patiently(const char* path);

} // namespace tiercel::app
