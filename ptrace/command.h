// SPDX-License-Identifier: Apache-2.0
//
// Starts the command to trace. This very process becomes the command, so that exit code, signals,
// terminal and job control are those of an untraced command. The tracer is a detached grandchild.
#pragma once

#include "ptrace/session.h"

namespace tiercel::ptrace {

// Runs `trace` in a new process that is detached from this one's terminal and parentage and has
// this process as its target; then becomes the command. Does not return. The exit code is the
// command's; 127 if there is no such program, 126 if it cannot be run, 1 if it cannot be traced.
[[noreturn]] void become_command(char* const* command, int (*trace)(Target target));

} // namespace tiercel::ptrace
