// SPDX-License-Identifier: Apache-2.0
//
// KernelFacts: what of this kernel decides which capabilities a driver needs. Read from /proc and
// /sys without privilege; what cannot be read keeps its default. What only explains is host.h's.
#pragma once

#include <cstdint>

namespace tiercel::policy {

enum class Distro : std::uint8_t { other, debian, ubuntu }; // whose patches the kernel carries

constexpr unsigned kernel(unsigned major, unsigned minor) {
    return major << 16 | minor;
}

struct KernelFacts {
    unsigned version = 0; // kernel(major, minor)
    Distro distro = Distro::other;
    int perf_event_paranoid = 2;
    int ptrace_scope = -1; // -1: no Yama
    bool btf = false;
    bool memlock_unlimited = false;

    // By version, because trying needs the very capability that is in question. Backports can make
    // these false negatives; `privd --prove-caps` is the measurement.
    [[nodiscard]] bool has_cap_bpf() const { return version >= kernel(5, 8); }
    [[nodiscard]] bool has_ring_buffer() const { return version >= kernel(5, 8); }
    [[nodiscard]] bool has_iterators() const { return btf && version >= kernel(5, 8); }
    // Memory of BPF objects is charged to the cgroup, and no longer to RLIMIT_MEMLOCK.
    [[nodiscard]] bool charges_cgroup() const { return version >= kernel(5, 11); }
};

// `root` is prepended to every path: "" on a real system, a fake tree in tests.
KernelFacts gather_facts(const char* root = "");

} // namespace tiercel::policy
