// SPDX-License-Identifier: Apache-2.0
//
// What captures tell of the machine that they were made on.
#pragma once

#include "analyzer/capture/lists.h"

namespace tiercel::app {

// Of this one: CPUs, memory, name, network interfaces. Before the sandbox: it asks the kernel by a
// socket. What cannot be found out is left at zero or out; nothing depends on it.
capture::MachineInfo this_machine();

} // namespace tiercel::app
