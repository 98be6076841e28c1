// SPDX-License-Identifier: Apache-2.0
//
// Interest: the system calls and tracepoints that the probe captures. They are those that are
// printed, those that the rules look at, and those that keep the tables of threads and fds right.
#pragma once

#include <bitset>

#include "analyzer/prefilter/compiler.h"
#include "analyzer/setup/config.h"
#include "analyzer/setup/detection.h"
#include "shared/event/table.h"
#include "shared/wire/messages.h"

namespace tiercel::app {

class Interest {
  public:
    // Ignores calls that this machine does not have.
    void add(const event::SyscallInfo& call);
    void remove(const event::SyscallInfo& call);
    // Adds the calls that the tables of threads and fds need to stay right.
    void add_state();
    // Adds the tracepoints behind events that conditions name.
    void add_tracepoints(const filter::Interest& wanted);
    // Adds these calls and tracepoints to the request.
    void store(wire::Request& request) const;

  private:
    std::bitset<64 * wire::kInterestWords> natives_;
    std::uint32_t tracepoints_ = 0; // TIERCEL_TP_...
};

// Returns the number of the native call through whose bit `call` is captured, or -1 if this machine
// has no such call.
int interest_number(const event::SyscallInfo& call);

// Returns the interest of one session. base_syscalls means what it means in falco.yaml: custom_set
// replaces the calls that the tables need ("!name" leaves a call out), and `repair` adds them
// again.
Interest interest_of(const Config& config, const Detection& detection);

// Returns the kernel filter of one session. It is off unless the session does nothing with events
// but alert by rules: printed, counted and recorded events are not for the rules alone.
prefilter::Compiled kernel_filter(const Config& config, const Detection& detection);

// Sets what the session needs of the driver.
void complete(wire::Request& request, const Config& config, const Detection& detection);

} // namespace tiercel::app
