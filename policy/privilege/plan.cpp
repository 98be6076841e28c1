// SPDX-License-Identifier: Apache-2.0
#include "policy/privilege/plan.h"

namespace tiercel::policy {

Plan plan(Driver driver, const KernelFacts& facts) {
    const wire::DriverRow* row = wire::find_row(driver);
    bool bpf = row != nullptr && row->bpf;
    // With perf_event_paranoid above 2, Debian's kernels ask for CAP_SYS_ADMIN. Ubuntu's do above 2
    // or 4, by release. Mainline kernels never do.
    bool paranoid =
        driver == Driver::classic && facts.distro != Distro::other && facts.perf_event_paranoid > 2;
    bool admin = bpf && (!facts.has_cap_bpf() || paranoid);
    bool memlock = bpf && !facts.charges_cgroup() && !facts.memlock_unlimited;
    // The classic driver has no iterators, so it reads from /proc which processes already run.
    bool door = driver == Driver::classic;
    bool yama = driver == Driver::userspace && facts.ptrace_scope == 2;
    // privd holds a capability from phase `first` to phase `last`.
    const struct {
        int capability;
        bool needed;
        Phase first, last;
    } needs[] = {
        {CAP_BPF, bpf && !admin, Phase::start, Phase::attach},
        {CAP_PERFMON, bpf && !admin, Phase::start, Phase::attach},
        {CAP_SYS_ADMIN, admin, Phase::start, Phase::attach},
        {CAP_SYS_RESOURCE, memlock, Phase::start, Phase::raise_limit},
        {CAP_SYS_PTRACE, door || yama, Phase::start, Phase::door},
        {CAP_SYS_MODULE, driver == Driver::module, Phase::separate, Phase::separate},
    };
    Plan made{.raise_memlock = memlock};
    for (const auto& need : needs)
        for (auto phase = static_cast<int>(need.first);
             need.needed && phase <= static_cast<int>(need.last); ++phase)
            made.masks[phase] |= std::uint64_t{1} << need.capability;
    return made;
}

} // namespace tiercel::policy
