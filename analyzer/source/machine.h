// SPDX-License-Identifier: Apache-2.0
//
// Describes this machine, for captures that are made on it.
#pragma once

#include "analyzer/capture/lists.h"

namespace tiercel::app {

// Returns the CPUs, memory, name and network interfaces of this machine. Call it before the
// sandbox, because it needs a socket. A value that cannot be found out stays zero.
capture::MachineInfo this_machine();

} // namespace tiercel::app
