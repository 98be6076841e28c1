// SPDX-License-Identifier: Apache-2.0
//
// What the loads of both BPF probes share: configuration, maps, counters, tracepoints,
// io_uring.
#pragma once

#include <bpf/libbpf.h>

#include <memory>

#include "privd/drivers/driver.h"

namespace tiercel::privd {

struct ProbeLoad : Load {
    ProbeLoad(const wire::Request& request, pid_t self, Handover& handover);

    // Sizes the maps and chooses among the programs that both probes have.
    bool configure(bpf_object* object);
    // Chooses the io_uring programs, whose return from io_uring_enter() then joins the interest.
    bool configure_uring(bpf_object* object);
    // Loads the object and hands the counters over, frozen: only the probe writes them.
    bool load(bpf_object* object);
    bool store_ring(bpf_object* object, std::uint32_t slot, const os::UniqueFd& ring);
    // Attaches the program at its raw tracepoint. A program that was not loaded is passed over.
    bool attach(const bpf_program* program);

    bool enter_unasked = false; // io_uring_enter() is not of the request's interest
};
using Object = std::unique_ptr<bpf_object, decltype(&bpf_object__close)>;

// Attaches the loaded object to each wanted syscall's own functions, and adds what must stay open.
// Returns false with errno.
bool attach_per_syscall(bpf_object* object, const unsigned long long* interest, Handover& into);

} // namespace tiercel::privd
