// SPDX-License-Identifier: Apache-2.0
//
// Interest: what the probe is asked to give. That is what is shown and what the rules look at, and,
// besides, what the tables of threads and fds live on, without which names would not be known.
#pragma once

#include <bitset>

#include "analyzer/setup/options.h"
#include "analyzer/setup/setup.h"
#include "shared/event/table.h"
#include "shared/wire/messages.h"

namespace tiercel::app {

class Interest {
  public:
    // Calls that this machine does not have are passed over.
    void add(const event::SyscallInfo& call);
    void remove(const event::SyscallInfo& call);
    // Everything without which the state would become wrong.
    void add_state();
    // The tracepoints behind events that conditions name.
    void add_tracepoints(const filter::Interest& wanted);
    // Adds to what the request has.
    void store(wire::Request& request) const;

  private:
    std::bitset<64 * wire::interest_words> natives_;
    std::uint32_t tracepoints_ = 0; // TIERCEL_TP_...
};

// The number of the native call through whose bit `call` is captured; -1: there is none here.
int interest_number(const event::SyscallInfo& call);

// Of what `options` and `setup` ask for. base_syscalls means what it does in falco.yaml: its
// custom_set takes the place of what the state lives on ("!name" leaves a call out), and with
// `repair` that is added again.
Interest interest_of(const Options& options, const Setup& setup);

} // namespace tiercel::app
