// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "policy/privilege/reasons.h"

using namespace tiercel::policy;

namespace {

constexpr std::uint64_t bit(int capability) {
    return std::uint64_t{1} << capability;
}
constexpr std::uint64_t kTracing = bit(CAP_BPF) | bit(CAP_PERFMON);
constexpr std::uint64_t kAdmin = bit(CAP_SYS_ADMIN), kResource = bit(CAP_SYS_RESOURCE),
                        kPtrace = bit(CAP_SYS_PTRACE);

KernelFacts facts(unsigned major, unsigned minor, Distro distro, int paranoid, bool btf) {
    KernelFacts made;
    made.version = kernel(major, minor);
    made.last_capability = made.version < kernel(5, 8) ? CAP_AUDIT_READ : CAP_CHECKPOINT_RESTORE;
    made.distro = distro;
    made.perf_event_paranoid = paranoid;
    made.btf = btf;
    return made;
}

} // namespace

TEST_CASE("what privd starts with, kernel by kernel") {
    KernelFacts rhel8 = facts(4, 18, Distro::other, 2, true); // 4.18.0-348 has the BPF of 5.11
    rhel8.last_capability = CAP_CHECKPOINT_RESTORE;
    struct {
        const char* name;
        KernelFacts facts;
        std::uint64_t modern, classic;
        Blocker modern_blocker;
    } table[] = {
        {"4.18 of RHEL 8", rhel8, kTracing, kTracing, Blocker::none},
        {"5.4", facts(5, 4, Distro::other, 2, true), kAdmin | kResource, kAdmin | kResource,
         Blocker::no_ring_buffer},
        {"5.7 without BTF", facts(5, 7, Distro::other, 2, false), kAdmin | kResource,
         kAdmin | kResource, Blocker::no_btf},
        {"5.8", facts(5, 8, Distro::other, 2, true), kTracing | kResource, kTracing | kResource,
         Blocker::none},
        {"5.10 Debian", facts(5, 10, Distro::debian, 3, true), kTracing | kResource,
         kAdmin | kResource, Blocker::none},
        {"5.11", facts(5, 11, Distro::other, 2, true), kTracing, kTracing, Blocker::none},
        {"5.15 Ubuntu", facts(5, 15, Distro::ubuntu, 4, true), kTracing, kAdmin, Blocker::none},
        {"6.1 Debian", facts(6, 1, Distro::debian, 3, true), kTracing, kAdmin, Blocker::none},
        {"6.1 Debian, paranoid 2", facts(6, 1, Distro::debian, 2, true), kTracing, kTracing,
         Blocker::none},
        {"6.12 Debian", facts(6, 12, Distro::debian, 3, true), kTracing, kAdmin, Blocker::none},
        {"6.18", facts(6, 18, Distro::other, 3, true), kTracing, kTracing, Blocker::none},
        {"6.18 without BTF", facts(6, 18, Distro::other, 2, false), kTracing, kTracing,
         Blocker::no_btf},
    };
    for (const auto& row : table) {
        CAPTURE(row.name);
        CHECK(plan(Driver::modern, row.facts).held(Phase::start) == row.modern);
        CHECK(plan(Driver::classic, row.facts).held(Phase::start) == (row.classic | kPtrace));
        CHECK(blocker(Driver::modern, HostFacts{.kernel = row.facts}) == row.modern_blocker);
        CHECK(plan(Driver::userspace, row.facts).held(Phase::start) == 0);
        CHECK(plan(Driver::module, row.facts).held(Phase::start) == 0);
        CHECK(plan(Driver::module, row.facts).held(Phase::separate) == bit(CAP_SYS_MODULE));
    }
}

TEST_CASE("a phase never holds what the one before it did not") {
    for (Driver driver : {Driver::modern, Driver::classic, Driver::module, Driver::userspace})
        for (unsigned minor = 0; minor < 20; ++minor) {
            Plan made = plan(driver, facts(5, minor, Distro::debian, 3, minor % 2));
            for (int phase = static_cast<int>(Phase::start); phase < static_cast<int>(Phase::door);
                 ++phase)
                CHECK((made.held(static_cast<Phase>(phase + 1)) &
                       ~made.held(static_cast<Phase>(phase))) == 0);
            CHECK((made.held(Phase::load) & kResource) == 0);
            CHECK((made.held(Phase::handover) & ~kPtrace) == 0);
        }
}

TEST_CASE("the limit is raised only where it counts") {
    KernelFacts old = facts(5, 10, Distro::debian, 3, true);
    CHECK(plan(Driver::modern, old).raise_memlock);
    CHECK_FALSE(plan(Driver::module, old).raise_memlock);
    old.memlock_unlimited = true;
    CHECK_FALSE(plan(Driver::modern, old).raise_memlock);
    CHECK(plan(Driver::modern, old).held(Phase::start) == kTracing);
    CHECK_FALSE(plan(Driver::modern, facts(5, 11, Distro::other, 2, true)).raise_memlock);
}

TEST_CASE("the door costs CAP_SYS_PTRACE and stays for good") {
    Plan made = plan(Driver::classic, facts(6, 18, Distro::other, 2, true));
    CHECK(made.held(Phase::start) == (kTracing | kPtrace));
    CHECK(made.held(Phase::door) == kPtrace);
}

TEST_CASE("what stands in the way") {
    HostFacts host{.kernel = facts(6, 1, Distro::debian, 3, true)};
    host.initial_user_namespace = false;
    CHECK(blocker(Driver::modern, host) == Blocker::user_namespace);
    CHECK(blocker(Driver::classic, host) == Blocker::user_namespace);
    host.bpf_delegated = true; // the modern driver alone asks for a token
    CHECK(blocker(Driver::modern, host) == Blocker::user_namespace);
    host.kernel.version = kTokenKernel;
    CHECK(blocker(Driver::modern, host) != Blocker::user_namespace);
    CHECK(blocker(Driver::classic, host) == Blocker::user_namespace);
    CHECK(blocker(Driver::module, host) == Blocker::none);
    host.initial_user_namespace = true;
    host.lockdown = Lockdown::confidentiality;
    CHECK(blocker(Driver::modern, host) == Blocker::none);
    CHECK(blocker(Driver::classic, host) == Blocker::lockdown);
    CHECK(blocker(Driver::module, host) == Blocker::lockdown);
    host.lockdown = Lockdown::integrity;
    CHECK(blocker(Driver::classic, host) == Blocker::none);
    CHECK(blocker(Driver::module, host) == Blocker::lockdown);
    host.loads_modules = false;
    CHECK(blocker(Driver::module, host) == Blocker::no_modules);
    CHECK(blocker(Driver::classic, host) == Blocker::none);
    host.kernel.ptrace_scope = 3;
    CHECK(blocker(Driver::userspace, host) == Blocker::yama_forbids);
    host.kernel.ptrace_scope = 2;
    CHECK(blocker(Driver::userspace, host) == Blocker::none);
    CHECK(plan(Driver::userspace, host.kernel).held(Phase::start) == kPtrace);
    CHECK(blocker(Driver::classic, HostFacts{.kernel = facts(4, 14, Distro::other, 2, false)}) ==
          Blocker::kernel_too_old);
}

TEST_CASE("the words say what the plan does") {
    for (Driver driver : {Driver::modern, Driver::classic, Driver::module, Driver::userspace})
        for (unsigned minor : {4u, 8u, 10u, 15u})
            for (const auto& [capability, text] : tiercel::wire::kCapabilityTable) {
                HostFacts host{.kernel = facts(5, minor, Distro::debian, 3, true)};
                Plan made = plan(driver, host.kernel);
                bool planned =
                    (made.held(Phase::start) | made.held(Phase::separate)) >> capability & 1;
                Reason reason = explain(driver, capability, host);
                CHECK(reason.needed == planned);
                CHECK((*reason.check != '\0') == planned);
                CHECK((*reason.until != '\0') == planned);
                CHECK_FALSE(reason.decided.empty());
            }
}
