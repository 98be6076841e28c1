// SPDX-License-Identifier: Apache-2.0
//
// What a signal that a tracer sees would be without a tracer.
#pragma once

#include <csignal>
#include <sys/types.h>

namespace tiercel::ptrace {

// Whether the thread would get it: traced threads stop for signals, too, that the kernel otherwise
// drops where they are sent because they are ignored (kernel/signal.c, sig_ignored()).
bool is_delivered(pid_t tid, int signal);

// The process that sent it; 0: the kernel.
int sender_of(const siginfo_t& info);

} // namespace tiercel::ptrace
