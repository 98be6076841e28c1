// SPDX-License-Identifier: Apache-2.0
//
// HostFacts: KernelFacts, and what only explains: what this process could grant, and what stands in
// a driver's way whatever is granted. For the analyzer; privd does not link it, it tries instead.
#pragma once

#include "policy/privilege/plan.h"

namespace tiercel::policy {

enum class Lockdown : std::uint8_t { none, integrity, confidentiality };

struct HostFacts {
    KernelFacts kernel;
    Lockdown lockdown = Lockdown::none;
    int unprivileged_bpf_disabled = 0;
    int seccomp = 0; // this process: 0 none, 2 filter
    bool initial_user_namespace = true;
    bool bpf_delegated = false;      // by the BPF file system that this process sees: BPF tokens
    bool loads_modules = true;       // the kernel can load modules (CONFIG_MODULES)
    bool module_loaded = false;      // ours
    std::uint64_t permitted = 0;     // capability masks: of this process,
    std::uint64_t bounding = 0;      // its bounding set,
    std::uint64_t init_bounding = 0; // and that of PID 1
};

// From this version on the kernel makes BPF tokens.
constexpr unsigned kTokenKernel = kernel(6, 9);

// Whether a driver may load with the capabilities of a user namespace, by a token.
bool loads_by_token(Driver driver, const HostFacts& facts);

HostFacts gather_host_facts(const char* root = "");

// Why a driver cannot work here at all. The order is that of precedence.
enum class Blocker : std::uint8_t {
    none,
    user_namespace,
    no_btf,
    no_ring_buffer,
    kernel_too_old,
    no_modules,
    lockdown,
    yama_forbids
};

Blocker blocker(Driver driver, const HostFacts& facts);

} // namespace tiercel::policy
