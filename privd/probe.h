// SPDX-License-Identifier: Apache-2.0
//
// What the loads of both BPF probes share: configuration, maps, counters, tracepoints.
#pragma once

#include "privd/privd.h"

#include <bpf/libbpf.h>
#include <memory>

namespace tiercel::privd {

// The kernel's types that the probes name, as privd-types keeps them.
struct KernelTypes {
    // Runs it, on the kernel's own types or those in the file. A refusal of every request, or a
    // Reply whose status is ok.
    wire::Reply read(const char* file, Account user);
    // In the kernel, of the function or, before those, the type definition of this name; 0: none.
    __u32 number(const char* name) const;

    os::UniqueFd memory;            // what privd-types wrote
    char path[32] = {};             // of that
    struct btf* kept = nullptr;     // lives as long as privd
    const __u32* numbers = nullptr; // in the kernel, by those in `kept`
};
extern KernelTypes kernel_types;

struct ProbeLoad : Load {
    ProbeLoad(const wire::Request& request, pid_t self, Handover& into);

    // Sizes the maps and chooses among the programs that both probes have.
    bool configure(bpf_object* object);
    bool load(bpf_object* object); // also hands the counters over, frozen
    bool store_ring(bpf_object* object, std::uint32_t slot, const os::UniqueFd& ring);
    bool attach(const bpf_program* program); // at its raw tracepoint
};
using Object = std::unique_ptr<bpf_object, decltype(&bpf_object__close)>;

// Attaches the loaded object to each wanted syscall's own functions, and adds what must stay open.
// False with errno.
bool attach_per_syscall(bpf_object* object, const unsigned long long* interest, Handover& into);

} // namespace tiercel::privd
