// SPDX-License-Identifier: Apache-2.0
#include "policy/privilege/host.h"

#include <algorithm>

#include "shared/os/file.h"

namespace tiercel::policy {

namespace {

using Text = std::string_view;

Text read(const char* root, const char* path, std::span<char> buffer) {
    auto text = os::read_file(root, path, buffer);
    return text ? *text : Text{};
}

// The word after `key` at the beginning of a line of `text`.
Text field(Text text, Text key) {
    for (std::size_t at = 0; (at = text.find(key, at)) != Text::npos; at += key.size()) {
        if (at != 0 && text[at - 1] != '\n')
            continue;
        text.remove_prefix(at + key.size());
        text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
        return text.substr(0, text.find_first_of(" \t\n"));
    }
    return {};
}

std::uint64_t number(Text text, int base = 10) {
    return os::parse_unsigned(text, base).value_or(0);
}

} // namespace

bool loads_by_token(Driver driver, const HostFacts& facts) {
    return driver == Driver::modern && !facts.initial_user_namespace && facts.bpf_delegated &&
           facts.kernel.version >= kTokenKernel;
}

HostFacts gather_host_facts(const char* root) {
    HostFacts facts{.kernel = gather_facts(root)};
    char buffer[4096];
    Text lockdown = read(root, "/sys/kernel/security/lockdown", buffer); // in brackets: in force
    if (lockdown.find("[integrity]") != Text::npos)
        facts.lockdown = Lockdown::integrity;
    else if (lockdown.find("[confidentiality]") != Text::npos)
        facts.lockdown = Lockdown::confidentiality;
    // kernel/module/procfs.c makes this file, which is empty while no module is loaded.
    facts.loads_modules = static_cast<bool>(os::read_file(root, "/proc/modules", buffer));
    facts.module_loaded = !read(root, "/sys/module/tiercel/initstate", buffer).empty();
    facts.unprivileged_bpf_disabled =
        static_cast<int>(number(read(root, "/proc/sys/kernel/unprivileged_bpf_disabled", buffer)));
    // user_namespaces(7): the initial one maps every id to itself; without the file there are none.
    Text map = read(root, "/proc/self/uid_map", buffer);
    facts.initial_user_namespace =
        map.empty() || (field(map, "") == "0" && map.find("4294967295") != Text::npos);
    static char mounts[1 << 16]; // a unit of systemd's has some hundred mounts
    facts.bpf_delegated =
        read(root, "/proc/self/mountinfo", mounts).find("delegate_cmds=") != Text::npos;
    Text own = read(root, "/proc/self/status", buffer);
    facts.permitted = number(field(own, "CapPrm:"), 16);
    facts.bounding = number(field(own, "CapBnd:"), 16);
    facts.seccomp = static_cast<int>(number(field(own, "Seccomp:")));
    facts.init_bounding = number(field(read(root, "/proc/1/status", buffer), "CapBnd:"), 16);
    return facts;
}

Blocker blocker(Driver driver, const HostFacts& facts) {
    const wire::DriverRow* row = wire::find_row(driver);
    bool bpf = row != nullptr && row->bpf;
    bool modern = driver == Driver::modern, classic = driver == Driver::classic;
    const struct {
        Blocker blocker;
        bool applies;
    } blockers[] = {
        {Blocker::user_namespace,
         bpf && !facts.initial_user_namespace && !loads_by_token(driver, facts)},
        {Blocker::no_btf, modern && !facts.kernel.btf},
        {Blocker::no_ring_buffer, modern && !facts.kernel.has_cap_bpf()},
        // bpf_ktime_get_boot_ns() and maps that can be mapped
        {Blocker::kernel_too_old, classic && !facts.kernel.has_cap_bpf()},
        {Blocker::no_modules, driver == Driver::module && !facts.loads_modules},
        // bpf_probe_read_kernel() is refused (kernel/trace/bpf_trace.c); direct BTF loads are not.
        {Blocker::lockdown, classic && facts.lockdown == Lockdown::confidentiality},
        // An unsigned module is refused (kernel/module/signing.c).
        {Blocker::lockdown, driver == Driver::module && facts.lockdown != Lockdown::none},
        {Blocker::yama_forbids, driver == Driver::userspace && facts.kernel.ptrace_scope == 3},
    };
    for (const auto& candidate : blockers)
        if (candidate.applies)
            return candidate.blocker;
    return Blocker::none;
}

} // namespace tiercel::policy
