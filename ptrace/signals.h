// SPDX-License-Identifier: Apache-2.0
//
// What a signal that stops a traced thread would do without a tracer.
#pragma once

#include <sys/types.h>

#include <csignal>

namespace tiercel::ptrace {

// Whether the thread would get the signal. A traced thread also stops for an ignored signal, which
// the kernel otherwise drops when it is sent (kernel/signal.c, sig_ignored()).
bool is_delivered(pid_t tid, int signal);

// The process that sent the signal; 0: the kernel.
int sender_of(const siginfo_t& info);

} // namespace tiercel::ptrace
