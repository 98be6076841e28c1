// SPDX-License-Identifier: Apache-2.0
//
// Implements Landlock's restriction by its three system calls, for whatever ABI the kernel has.
#include "policy/privilege/landlock.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

#include "shared/os/unique_fd.h"

namespace tiercel::policy {

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
constexpr std::uint64_t kFsExecute = 1U << 0, kFsWriteFile = 1U << 1, kFsReadFile = 1U << 2,
                        kFsReadDir = 1U << 3, kFsRemoveDir = 1U << 4, kFsRemoveFile = 1U << 5,
                        kFsMakeDir = 1U << 7, kFsMakeReg = 1U << 8, kFsMakeLink = 1U << 12,
                        kFsTruncate = 1U << 14, kFsIoctlDevice = 1U << 15;
constexpr std::uint64_t kNetBindTcp = 1U << 0, kNetConnectTcp = 1U << 1;
constexpr std::uint64_t kScopeAbstractUnix = 1U << 0, kScopeSignal = 1U << 1;

// Access rights of the file system that each ABI knows: 13 in the first, then REFER, TRUNCATE (3)
// and IOCTL_DEV (5).
constexpr std::uint64_t fs_rights(int abi) {
    const unsigned bits = abi >= 5 ? 16 : abi >= 3 ? 15 : abi >= 2 ? 14 : 13;
    return (1ULL << bits) - 1;
}

std::uint64_t access_of(std::uint8_t rights) {
    std::uint64_t access = 0;
    access |= (rights & kReadFiles) != 0 ? kFsReadFile | kFsReadDir | kFsIoctlDevice : 0;
    access |= (rights & kWriteFiles) != 0 ? kFsWriteFile | kFsMakeReg : 0;
    access |= (rights & kRemoveFiles) != 0 ? kFsRemoveFile | kFsTruncate : 0;
    access |= (rights & kRenameFiles) != 0 ? kFsRemoveFile | kFsMakeReg : 0;
    access |= (rights & kArrange) != 0 ? kFsRemoveDir | kFsMakeDir | kFsMakeLink : 0;
    access |= (rights & kExecute) != 0 ? kFsExecute : 0;
    return access;
}

long create_ruleset(const RulesetAttr* attr, std::size_t size, std::uint32_t flags) {
    return syscall(SYS_landlock_create_ruleset, attr, size, flags);
}

} // namespace

os::Result<int> restrict_by_landlock(std::span<const Beneath> allowed, Network network) {
    const long version = create_ruleset(nullptr, 0, kRulesetVersion);
    if (version < 0 && (errno == ENOSYS || errno == EOPNOTSUPP))
        return 0;
    if (version < 0)
        return os::error("ask for", "Landlock's version");
    const int abi = static_cast<int>(version);
    RulesetAttr attr{.handled_access_fs = fs_rights(abi), .handled_access_net = 0, .scoped = 0};
    std::size_t size = sizeof attr.handled_access_fs;
    if (abi >= 4) {
        attr.handled_access_net = kNetBindTcp | (network == Network::none ? kNetConnectTcp : 0);
        size = 2 * sizeof attr.handled_access_fs;
    }
    if (abi >= 6) {
        attr.scoped = kScopeAbstractUnix | kScopeSignal;
        size = sizeof attr;
    }
    const os::UniqueFd ruleset(static_cast<int>(create_ruleset(&attr, size, 0)));
    if (!ruleset.valid())
        return os::error("create", "a Landlock ruleset");
    for (const auto& [directory, rights] : allowed) {
        const PathBeneathAttr beneath{access_of(rights) & attr.handled_access_fs, directory};
        if (syscall(SYS_landlock_add_rule, ruleset.get(), kRulePathBeneath, &beneath, 0) != 0)
            return os::error("permit by Landlock", "a directory");
    }
    if (syscall(SYS_landlock_restrict_self, ruleset.get(), 0) != 0)
        return os::error("enforce", "a Landlock ruleset");
    return abi;
}

} // namespace tiercel::policy
