// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/wire/messages.h"

namespace tiercel::app {

// Appends a line about what the driver says to have held for a load (Reply::held) to the file
// `capabilities` in the service's state directory, for `tiercel caps --since-boot`: the boot's id,
// the driver, and the seconds of each capability. Does nothing without such a directory. Call
// before the sandbox.
void log_capabilities(const wire::Reply& reply);

} // namespace tiercel::app
