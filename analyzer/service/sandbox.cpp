// SPDX-License-Identifier: Apache-2.0
#include "analyzer/service/sandbox.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <ctime>
#include <vector>

#include "policy/privilege/analyzer_syscalls.h"
#include "policy/privilege/landlock.h"

#ifdef __SANITIZE_ADDRESS__
// Looking for leaks and naming functions take helper processes, which the sandbox kills.
extern "C" const char* __asan_default_options();
extern "C" const char* __asan_default_options() {
    return "detect_leaks=0:symbolize=0";
}
#endif

namespace tiercel::app {

namespace {

using Capabilities = __user_cap_data_struct[_LINUX_CAPABILITY_U32S_3];

os::Result<bool> holds_any() {
    __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    Capabilities held = {};
    if (syscall(SYS_capget, &header, held) != 0)
        return os::error("check", "capabilities");
    unsigned all = 0;
    for (const auto& word : held)
        all |= word.effective | word.permitted | word.inheritable;
    return all != 0;
}

os::Result<void> drop_capabilities(bool root_too) {
    if (!root_too && (geteuid() == 0 || getuid() == 0))
        return os::error("watch", "as root: it needs no privilege and takes none", EPERM);
    // Without CAP_SETPCAP the bounding set stays; no_new_privs makes it worthless.
    for (int capability = 0; prctl(PR_CAPBSET_READ, capability) >= 0; ++capability)
        prctl(PR_CAPBSET_DROP, capability);
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    auto holds = holds_any();
    if (!holds)
        return holds.error();
    if (!*holds) // a unit whose filter refuses capset(2) grants none
        return {};
    __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    Capabilities none = {};
    if (syscall(SYS_capset, &header, none) != 0)
        return os::error("drop", "capabilities");
    holds = holds_any();
    if (!holds)
        return holds.error();
    if (*holds)
        return os::error("drop", "all capabilities", EPERM);
    return {};
}

os::Result<void> limit(__rlimit_resource resource, rlim_t value, const char* name) {
    const rlimit both{value, value};
    if (setrlimit(resource, &both) != 0)
        return os::error("limit", name);
    return {};
}

// RLIMIT_MEMLOCK stays: perf buffers are charged to it when they are mapped.
os::Result<void> limit_resources(unsigned more_fds) {
    // What another analyzer has left lies anywhere among the numbers.
    rlim_t numbers = 0;
    for (unsigned unused = 0; unused < more_fds; ++numbers)
        unused += fcntl(static_cast<int>(numbers), F_GETFD) < 0 ? 1 : 0;
    if (auto limited = limit(RLIMIT_NPROC, 0, "processes"); !limited)
        return limited;
    if (auto limited = limit(RLIMIT_CORE, 0, "core files"); !limited)
        return limited;
    return limit(RLIMIT_NOFILE, numbers, "open files");
}

#ifdef __SANITIZE_ADDRESS__
// The sanitizers' run time probes memory by pipe2(2), and cleans up in abort().
constexpr policy::Allow kSanitizers{"sanitizers", {SCMP_SYS(pipe2), SCMP_SYS(sigaltstack)}};
#endif

std::vector<policy::Allow> allowlist(const Needs& needs) {
    std::vector<policy::Allow> list(std::begin(policy::kAnalyzerSteady),
                                    std::end(policy::kAnalyzerSteady));
    const auto add = [&list](std::span<const policy::Allow> more) {
        list.insert(list.end(), more.begin(), more.end());
    };
    if (!needs.writable.empty())
        add(policy::kAnalyzerAlertFile);
    if (needs.listens)
        add(policy::kAnalyzerMetrics);
    if (needs.overwrite)
        add(policy::kAnalyzerOverwrite);
    if (!needs.renaming.empty())
        add(policy::kAnalyzerNamedCaptures);
#ifdef __SANITIZE_ADDRESS__
    list.push_back(kSanitizers);
#endif
    return list;
}

} // namespace

os::Result<Confinement> enter_sandbox(const Needs& needs) {
    const unsigned uid = getuid();
    tzset(); // localtime_r() would open the time zone's file when the first time is printed
    if (auto dropped = drop_capabilities(needs.root_too); !dropped)
        return dropped.error();
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return os::error("set", "no_new_privs");
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return os::error("make", "the process undumpable");
    std::vector<policy::Beneath> allowed;
    for (const int directory : needs.writable) // where the alert file may be made again
        allowed.push_back({directory, policy::kWriteFiles});
    for (const int directory : needs.renaming) // where captures get the names of their alerts
        allowed.push_back({directory, policy::kRenameFiles});
    auto abi = policy::restrict_by_landlock(allowed, policy::Network::none);
    if (!abi)
        return abi.error();
    if (needs.start_threads)
        needs.start_threads();
    if (auto limited = limit_resources(needs.more_fds); !limited)
        return limited.error();
    if (auto confined = policy::allow_only(allowlist(needs)); !confined)
        return confined.error();
    return Confinement{*abi, uid};
}

} // namespace tiercel::app
