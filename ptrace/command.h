// SPDX-License-Identifier: Apache-2.0
//
// The command: this very process becomes it, so that its exit code, its signals, its terminal and
// its job control are those of an untraced command. The tracer is a grandchild that is nobody's
// child here.
#pragma once

#include "ptrace/session.h"

namespace tiercel::ptrace {

// Runs `trace` in a new process, detached from this one's terminal and parentage, with this process
// as the target; then becomes the command. Does not return; the exit code is the command's, or 127
// when there is no such program, 126 when it cannot be run, 1 when it could not be traced.
[[noreturn]] void become_command(char* const* command, int (*trace)(Target target));

} // namespace tiercel::ptrace
