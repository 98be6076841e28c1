// SPDX-License-Identifier: Apache-2.0
//
// KernelFacts: what of this kernel decides which capabilities a driver needs. Read from /proc and
// /sys without privilege; what cannot be read keeps its default. What only explains is host.h's.
#pragma once

#include <linux/capability.h>

#include <cstdint>

namespace tiercel::policy {

enum class Distro : std::uint8_t { other, debian, ubuntu }; // whose patches the kernel carries

constexpr unsigned kernel(unsigned major, unsigned minor) {
    return major << 16 | minor;
}

struct KernelFacts {
    unsigned version = 0;    // kernel(major, minor)
    int last_capability = 0; // /proc/sys/kernel/cap_last_cap
    Distro distro = Distro::other;
    int perf_event_paranoid = 2;
    int ptrace_scope = -1; // -1: no Yama
    bool btf = false;
    bool memlock_unlimited = false;

    // CAP_BPF, ring buffer, iterators and the helpers of both probes came with 5.8. Trying needs
    // the very capability, so the capability stands for all of them, also where a vendor took them
    // into an older kernel (RHEL 8.5). `privd --prove-caps` is the measurement.
    [[nodiscard]] bool has_cap_bpf() const { return last_capability >= CAP_BPF; }
    // Memory of BPF objects is charged to the cgroup, and no longer to RLIMIT_MEMLOCK: from 5.11
    // on. A kernel that calls itself older than 5.8 and has CAP_BPF has the BPF of a newer one.
    [[nodiscard]] bool charges_cgroup() const {
        return version >= kernel(5, 11) || (has_cap_bpf() && version < kernel(5, 8));
    }
};

// `root` is prepended to every path: "" on a real system, a fake tree in tests.
KernelFacts gather_facts(const char* root = "");

} // namespace tiercel::policy
