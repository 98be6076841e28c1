// SPDX-License-Identifier: Apache-2.0
// Facts are read from fake trees, so that every kernel can be met here.
#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "policy/privilege/host.h"

using namespace tiercel::policy;

namespace {

class Tree {
  public:
    Tree() {
        char path[] = "/tmp/tiercel-facts-XXXXXX";
        root_ = mkdtemp(path);
    }
    ~Tree() { std::filesystem::remove_all(root_); }
    Tree& with(const std::string& path, const std::string& text) {
        std::filesystem::create_directories(std::filesystem::path(root_ + path).parent_path());
        std::ofstream(root_ + path) << text;
        return *this;
    }
    [[nodiscard]] HostFacts facts() const { return gather_host_facts(root_.c_str()); }

  private:
    std::string root_;
};

} // namespace

TEST_CASE("an empty tree gives the defaults") {
    HostFacts facts = Tree().facts();
    CHECK(facts.kernel.version == 0);
    CHECK(facts.kernel.ptrace_scope == -1);
    CHECK_FALSE(facts.kernel.btf);
    CHECK(facts.lockdown == Lockdown::none);
    CHECK(facts.initial_user_namespace);
    CHECK(facts.init_bounding == 0);
    CHECK_FALSE(facts.loads_modules);
    CHECK(Tree().with("/proc/modules", "").facts().loads_modules); // none is loaded
}

TEST_CASE("a Debian 12 host") {
    HostFacts facts =
        Tree()
            .with("/proc/sys/kernel/osrelease", "6.1.0-49-amd64\n")
            .with(
                "/proc/version",
                "Linux version 6.1.0-49-amd64 (debian-kernel@lists.debian.org) Debian 6.1.192-2\n")
            .with("/proc/sys/kernel/cap_last_cap", "40\n")
            .with("/proc/sys/kernel/perf_event_paranoid", "3\n")
            .with("/proc/sys/kernel/unprivileged_bpf_disabled", "2\n")
            .with("/proc/sys/kernel/yama/ptrace_scope", "1\n")
            .with("/sys/kernel/security/lockdown", "none [integrity] confidentiality\n")
            .with("/sys/kernel/btf/vmlinux", "\x9f\xeb")
            .with("/proc/self/uid_map", "         0          0 4294967295\n")
            .with("/proc/self/limits",
                  "Max locked memory         8388608              8388608              bytes\n")
            .with("/proc/self/status",
                  "Name:\tx\nCapPrm:\t0000000000000000\nCapBnd:\t000001ffffffffff\nSeccomp:\t2\n")
            .with("/proc/1/status", "CapBnd:\t000000c000000000\n")
            .facts();
    CHECK(facts.kernel.version == kernel(6, 1));
    CHECK(facts.kernel.has_cap_bpf());
    CHECK(facts.kernel.distro == Distro::debian);
    CHECK(facts.kernel.perf_event_paranoid == 3);
    CHECK(facts.unprivileged_bpf_disabled == 2);
    CHECK(facts.kernel.ptrace_scope == 1);
    CHECK(facts.lockdown == Lockdown::integrity);
    CHECK(facts.kernel.btf);
    CHECK(facts.initial_user_namespace);
    CHECK_FALSE(facts.kernel.memlock_unlimited);
    CHECK(facts.permitted == 0);
    CHECK(facts.bounding == 0x1ffffffffff);
    CHECK(facts.init_bounding == 0xc000000000);
    CHECK(facts.seccomp == 2);
}

TEST_CASE("a unit to which systemd delegates loading") {
    const std::string mount = "36 25 0:30 / /sys/fs/bpf rw,nosuid - bpf bpf rw,gid=1";
    const std::string others(4096, '\n');
    CHECK_FALSE(Tree().with("/proc/self/mountinfo", others + mount).facts().bpf_delegated);
    CHECK(Tree()
              .with("/proc/self/mountinfo", others + mount + ",delegate_cmds=prog_load:map_create")
              .facts()
              .bpf_delegated);
}

TEST_CASE("what differs elsewhere") {
    auto ubuntu =
        Tree()
            .with("/proc/sys/kernel/osrelease", "5.15.0-91-generic")
            .with(
                "/proc/version",
                "Linux version 5.15.0-91-generic (buildd@lcy02) (gcc (Ubuntu 11.4.0)) #101-Ubuntu")
            .with("/proc/sys/kernel/perf_event_paranoid", "4\n")
            .with("/proc/self/uid_map", "         0     100000      65536\n")
            .with("/sys/kernel/security/lockdown", "none integrity [confidentiality]\n")
            .with("/proc/self/limits",
                  "Max locked memory         unlimited            unlimited            bytes\n")
            .facts();
    CHECK(ubuntu.kernel.distro == Distro::ubuntu);
    CHECK(ubuntu.kernel.perf_event_paranoid == 4);
    CHECK_FALSE(ubuntu.initial_user_namespace);
    CHECK(ubuntu.lockdown == Lockdown::confidentiality);
    CHECK(ubuntu.kernel.memlock_unlimited);
    CHECK(Tree()
              .with("/proc/sys/kernel/perf_event_paranoid", "-1\n")
              .facts()
              .kernel.perf_event_paranoid == -1);
    // A namespace that maps its root to the outer root alone is not the initial one.
    CHECK_FALSE(Tree()
                    .with("/proc/self/uid_map", "         0          0          1\n")
                    .facts()
                    .initial_user_namespace);
    for (const char* odd : {"", "\n", "abc", "6", "6.", ".6", "99999999999999999999.1"})
        CHECK_NOTHROW((void)Tree()
                          .with("/proc/sys/kernel/osrelease", odd)
                          .with("/proc/self/uid_map", odd)
                          .facts());
}

TEST_CASE("a kernel's release does not decide what its BPF has") {
    const HostFacts rhel8 = Tree()
                                .with("/proc/sys/kernel/osrelease", "4.18.0-348.2.1.el8_5.x86_64\n")
                                .with("/proc/sys/kernel/cap_last_cap", "40\n")
                                .with("/sys/kernel/btf/vmlinux", "\x9f\xeb")
                                .facts();
    CHECK(rhel8.kernel.has_cap_bpf());
    CHECK(rhel8.kernel.charges_cgroup());
    for (const Driver driver : {Driver::modern, Driver::classic})
        CHECK(blocker(driver, rhel8) == Blocker::none);
    const HostFacts older = Tree()
                                .with("/proc/sys/kernel/osrelease", "5.4.0-100-generic\n")
                                .with("/proc/sys/kernel/cap_last_cap", "37\n")
                                .with("/sys/kernel/btf/vmlinux", "\x9f\xeb")
                                .facts();
    CHECK(blocker(Driver::modern, older) == Blocker::no_ring_buffer);
    CHECK(blocker(Driver::classic, older) == Blocker::kernel_too_old);
    CHECK_FALSE(older.kernel.charges_cgroup());
}

TEST_CASE("this machine is read") {
    KernelFacts facts = gather_facts();
    CHECK(facts.version >= kernel(4, 0));
    CHECK(facts.btf == (access("/sys/kernel/btf/vmlinux", R_OK) == 0));
}
