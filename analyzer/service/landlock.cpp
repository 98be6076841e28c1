// SPDX-License-Identifier: Apache-2.0
#include "analyzer/service/landlock.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

#include "shared/os/unique_fd.h"

namespace tiercel::app {

namespace {

// include/uapi/linux/landlock.h, which the oldest headers that we build with do not have in full.
struct RulesetAttr {
    std::uint64_t handled_access_fs;
    std::uint64_t handled_access_net;
    std::uint64_t scoped;
};
constexpr std::uint32_t kRulesetVersion = 1U << 0;
struct [[gnu::packed]] PathBeneathAttr {
    std::uint64_t allowed_access;
    std::int32_t parent_fd;
};
constexpr int kRulePathBeneath = 1;
constexpr std::uint64_t kFsWriteFile = 1U << 1, kFsRemoveFile = 1U << 5, kFsMakeReg = 1U << 8;
constexpr std::uint64_t kNetBindTcp = 1U << 0, kNetConnectTcp = 1U << 1;
constexpr std::uint64_t kScopeAbstractUnix = 1U << 0, kScopeSignal = 1U << 1;

// Access rights of the file system that each ABI knows: 13 in the first, then REFER, TRUNCATE (3)
// and IOCTL_DEV (5).
constexpr std::uint64_t fs_rights(int abi) {
    const unsigned bits = abi >= 5 ? 16 : abi >= 3 ? 15 : abi >= 2 ? 14 : 13;
    return (1ULL << bits) - 1;
}

long create_ruleset(const RulesetAttr* attr, std::size_t size, std::uint32_t flags) {
    return syscall(SYS_landlock_create_ruleset, attr, size, flags);
}

} // namespace

os::Result<int> deny_by_landlock(std::span<const int> writable, std::span<const int> renaming) {
    const long version = create_ruleset(nullptr, 0, kRulesetVersion);
    if (version < 0 && (errno == ENOSYS || errno == EOPNOTSUPP))
        return 0;
    if (version < 0)
        return os::error("ask for", "Landlock's version");
    const int abi = static_cast<int>(version);
    RulesetAttr attr{.handled_access_fs = fs_rights(abi), .handled_access_net = 0, .scoped = 0};
    std::size_t size = sizeof attr.handled_access_fs;
    if (abi >= 4) {
        attr.handled_access_net = kNetBindTcp | kNetConnectTcp;
        size = 2 * sizeof attr.handled_access_fs;
    }
    if (abi >= 6) {
        attr.scoped = kScopeAbstractUnix | kScopeSignal;
        size = sizeof attr;
    }
    const os::UniqueFd ruleset(static_cast<int>(create_ruleset(&attr, size, 0)));
    if (!ruleset.valid())
        return os::error("create", "a Landlock ruleset");
    const auto permit = [&ruleset](std::uint64_t rights, int directory) {
        const PathBeneathAttr beneath{rights, directory};
        return syscall(SYS_landlock_add_rule, ruleset.get(), kRulePathBeneath, &beneath, 0) == 0;
    };
    for (const int directory : writable)
        if (!permit(kFsWriteFile | kFsMakeReg, directory))
            return os::error("keep writable by Landlock", "the directory of the alert file");
    for (const int directory : renaming)
        if (!permit(kFsRemoveFile | kFsMakeReg, directory))
            return os::error("permit new names by Landlock", "in the directory of captures");
    if (syscall(SYS_landlock_restrict_self, ruleset.get(), 0) != 0)
        return os::error("enforce", "a Landlock ruleset");
    return abi;
}

} // namespace tiercel::app
