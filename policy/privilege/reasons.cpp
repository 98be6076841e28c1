// SPDX-License-Identifier: Apache-2.0
//
// Implements the reasons that `analyzer --explain-caps` prints: which check in the kernel asks for
// a capability, what decided whether it is needed, and until which phase privd holds it.
#include "policy/privilege/reasons.h"

namespace tiercel::policy {

namespace {

bool uses_bpf(Driver driver) {
    const wire::DriverRow* row = wire::find_row(driver);
    return row != nullptr && row->bpf;
}

std::string running(const HostFacts& facts) {
    return "kernel " + version_text(facts.kernel.version);
}

std::string known_capabilities(const HostFacts& facts) {
    return " (cap_last_cap " + std::to_string(facts.kernel.last_capability) + ")";
}

// Returns the kernel's check that asks for a capability of the plan.
const char* check_of(Driver driver, int capability, const KernelFacts& facts) {
    switch (capability) {
    case CAP_BPF: return "kernel/bpf/syscall.c map_create(), bpf_prog_load(): bpf_capable()";
    case CAP_PERFMON:
        return driver == Driver::classic
                   ? "kernel/bpf/syscall.c bpf_prog_load(): perfmon_capable(); "
                     "kernel/events/core.c "
                     "perf_event_open(): perfmon_capable()"
                   : "kernel/bpf/syscall.c bpf_prog_load(): perfmon_capable() for tracing programs";
    case CAP_SYS_RESOURCE:
        return "kernel/sys.c do_prlimit(): raising RLIMIT_MEMLOCK, charged by "
               "kernel/bpf/syscall.c bpf_charge_memlock()";
    case CAP_SYS_PTRACE:
        return driver == Driver::userspace
                   ? "security/yama/yama_lsm.c yama_ptrace_access_check()"
                   : "kernel/ptrace.c __ptrace_may_access(), from fs/proc/base.c";
    case CAP_SYS_ADMIN:
        return facts.has_cap_bpf()
                   ? "kernel/events/core.c perf_event_open(), by the distribution's patch"
                   : "kernel/bpf/syscall.c bpf_prog_load(): capable(CAP_SYS_ADMIN)";
    case CAP_SYS_MODULE: return "kernel/module/main.c may_init_module()";
    default: return "";
    }
}

std::string paranoid(const HostFacts& facts) {
    const char* distro = facts.kernel.distro == Distro::debian   ? "a Debian kernel"
                         : facts.kernel.distro == Distro::ubuntu ? "an Ubuntu kernel"
                                                                 : "no Debian or Ubuntu kernel";
    return "perf_event_paranoid = " + std::to_string(facts.kernel.perf_event_paranoid) + " on " +
           distro;
}

std::string decided_bpf(Driver driver, int capability, bool needed, const HostFacts& facts) {
    if (!uses_bpf(driver))
        return "this driver loads no BPF";
    if (!facts.kernel.has_cap_bpf())
        return "this kernel" + known_capabilities(facts) +
               (capability == CAP_SYS_ADMIN ? " knows neither CAP_BPF nor CAP_PERFMON"
                                            : " does not know it");
    if (needed && loads_by_token(driver, facts))
        return running(facts) + " >= 6.9, a BPF token: only in this process's user namespace";
    if (capability != CAP_SYS_ADMIN)
        return needed ? "this kernel" + known_capabilities(facts) +
                            " has it, unprivileged_bpf_disabled = " +
                            std::to_string(facts.unprivileged_bpf_disabled)
                      : "CAP_SYS_ADMIN, needed anyway, includes it";
    if (driver == Driver::classic)
        return paranoid(facts);
    return "this kernel" + known_capabilities(facts) + " has CAP_BPF and CAP_PERFMON for it";
}

std::string decided_memlock(Driver driver, const HostFacts& facts) {
    if (!uses_bpf(driver))
        return "this driver loads no BPF";
    if (facts.kernel.charges_cgroup())
        return running(facts) +
               (facts.kernel.version < kernel(5, 8) ? " with CAP_BPF, which a vendor took into it,"
                                                    : " >= 5.11") +
               " charges BPF memory to the cgroup";
    if (facts.kernel.memlock_unlimited)
        return "RLIMIT_MEMLOCK is unlimited already";
    return running(facts) + " < 5.11 charges BPF memory to RLIMIT_MEMLOCK";
}

std::string decided_ptrace(Driver driver, const HostFacts& facts) {
    std::string scope = facts.kernel.ptrace_scope < 0
                            ? "there is no Yama"
                            : "Yama's ptrace_scope = " + std::to_string(facts.kernel.ptrace_scope);
    if (driver == Driver::userspace)
        return scope +
               (facts.kernel.ptrace_scope == 2 ? "" : ": the command it starts is its own child");
    switch (driver) {
    case Driver::modern: return "its BPF iterators list the processes that already run";
    case Driver::module: return "the module itself lists the processes that already run";
    case Driver::classic:
        return "it has no iterators, so it reads from /proc which processes already run";
    case Driver::userspace: return ""; // answered above
    case Driver::automatic:
    case Driver::count: break;
    }
    return "";
}

} // namespace

Reason explain(Driver driver, int capability, const HostFacts& facts) {
    Plan made = plan(driver, facts.kernel);
    Reason reason{false, "", "", ""};
    for (Phase phase : {Phase::separate, Phase::start, Phase::raise_limit, Phase::load,
                        Phase::attach, Phase::handover, Phase::door})
        if (made.held(phase) >> capability & 1) {
            reason.needed = true;
            reason.until = name(phase);
        }
    if (reason.needed)
        reason.check = check_of(driver, capability, facts.kernel);
    switch (capability) {
    case CAP_SYS_RESOURCE: reason.decided = decided_memlock(driver, facts); break;
    case CAP_SYS_PTRACE: reason.decided = decided_ptrace(driver, facts); break;
    case CAP_SYS_MODULE:
        reason.decided = driver == Driver::module
                             ? "modprobe needs it once, in a step of its own; privd never holds it"
                             : "this driver is no module";
        break;
    default: reason.decided = decided_bpf(driver, capability, reason.needed, facts);
    }
    return reason;
}

const char* name(Phase phase) {
    switch (phase) {
    case Phase::separate: return "separate step";
    case Phase::start: return "start";
    case Phase::raise_limit: return "limit raised";
    case Phase::load: return "load";
    case Phase::attach: return "attach";
    case Phase::handover: return "hand-over";
    case Phase::door: return "end";
    }
    return "unknown";
}

std::string describe(Blocker blocker, const HostFacts& facts) {
    switch (blocker) {
    case Blocker::none: return "";
    case Blocker::user_namespace:
        return "this is not the initial user namespace, and bpf(2) does not accept capabilities "
               "of another one without a token";
    case Blocker::no_btf: return "the kernel has no BTF (/sys/kernel/btf/vmlinux)";
    case Blocker::no_ring_buffer:
        return "the kernel does not know CAP_BPF" + known_capabilities(facts) +
               ", so it likely has no BPF ring buffer; both came with 5.8";
    case Blocker::kernel_too_old:
        return "the kernel does not know CAP_BPF" + known_capabilities(facts) +
               ", so it likely lacks what the probe needs of 5.8 (bpf_ktime_get_boot_ns)";
    case Blocker::no_modules: return "this kernel cannot load modules (there is no /proc/modules)";
    case Blocker::lockdown:
        return facts.lockdown == Lockdown::confidentiality ? "lockdown is in confidentiality mode"
                                                           : "lockdown refuses unsigned modules";
    case Blocker::yama_forbids: return "Yama's ptrace_scope = 3 forbids every use of ptrace";
    }
    return "";
}

std::string version_text(unsigned version) {
    return std::to_string(version >> 16) + "." + std::to_string(version & 0xffff);
}

} // namespace tiercel::policy
