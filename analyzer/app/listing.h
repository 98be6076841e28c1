// SPDX-License-Identifier: Apache-2.0
//
// The lists of system calls, events and fields (--list-syscalls, --list-events, --list-fields).
#pragma once

#include "analyzer/output/writer.h"
#include "analyzer/setup/command_line.h"

namespace tiercel::app {

// Appends the name, the number on this machine and the event of each system call.
void list_syscalls(output::Buffer& out);
// Appends the events of the drivers with their parameters, as text, Markdown or one JSON array.
void list_events(output::Buffer& out, Form form);
std::string list_fields(Form form);

} // namespace tiercel::app
