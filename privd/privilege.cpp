// SPDX-License-Identifier: Apache-2.0
//
// Implements giving privilege up: the change of account, capability sets, securebits.
// capabilities(7) describes the sets and the rules by which they change.
#include "privd/privilege.h"

#include <dirent.h>
#include <grp.h>
#include <linux/securebits.h>
#include <pwd.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "shared/os/clock.h"
#include "shared/os/file.h"
#include "shared/os/result.h"

namespace tiercel::privd {

wire::Held held_so_far[wire::kHeldMax];

namespace {

// Uids that neither Debian nor systemd gives to anything (systemd's UIDS-GIDS.md), below those of
// Tiercel's container images.
constexpr uid_t kUnusedFirst = 65520;
constexpr uid_t kUnusedLast = 65529;

// Whether a process runs under the uid: the owner of /proc/PID is the process's effective uid.
bool runs_something(uid_t uid) {
    DIR* processes = opendir("/proc");
    must(processes != nullptr, "list", "/proc");
    bool found = false;
    while (const dirent* entry = readdir(processes)) {
        struct stat info {};
        bool is_process = os::parse_unsigned(entry->d_name).has_value();
        if (is_process && fstatat(dirfd(processes), entry->d_name, &info, 0) == 0)
            found = found || info.st_uid == uid;
    }
    closedir(processes);
    return found;
}

// No account is shared with another program: its processes could stop and kill ours, and look at
// what they read.
Account unused_account() {
    for (uid_t uid = kUnusedLast; uid >= kUnusedFirst; --uid)
        if (getpwuid(uid) == nullptr && !runs_something(uid))
            return {uid, uid};
    errno = 0;
    must(false, "find an account that nothing else uses; create one: useradd --system tiercel");
    return {};
}

constexpr std::uint64_t bit(int capability) {
    return std::uint64_t{1} << capability;
}

std::size_t noted; // entries of held_so_far that are complete; the last one collects the rest
std::uint64_t since = os::now_ns(CLOCK_MONOTONIC);

// The sets of this process; effective and permitted are always the same here.
struct Sets {
    std::uint64_t permitted, inheritable;
};

Sets read_sets() {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct sets[2]; // capabilities 0 to 31, and the others
    must(capget(&header, sets) == 0, "read the capabilities");
    return {std::uint64_t{sets[1].permitted} << 32 | sets[0].permitted,
            std::uint64_t{sets[1].inheritable} << 32 | sets[0].inheritable};
}

bool write_sets(const Sets& wanted) {
    std::uint64_t time = os::now_ns(CLOCK_MONOTONIC);
    wire::Held& last = held_so_far[noted];
    last = {last.capabilities | read_sets().permitted, last.ns + time - std::exchange(since, time)};
    noted += noted + 1 < wire::kHeldMax;
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct sets[2];
    for (int i = 0; i < 2; ++i) {
        auto held = static_cast<__u32>(wanted.permitted >> 32 * i);
        auto passed = static_cast<__u32>(wanted.inheritable >> 32 * i);
        sets[i] = {.effective = held, .permitted = held, .inheritable = passed};
    }
    return capset(&header, sets) == 0;
}

void change_account(Account account) {
    bool changed = prctl(PR_SET_KEEPCAPS, 1) == 0 && setgroups(0, nullptr) == 0 &&
                   setresgid(account.gid, account.gid, account.gid) == 0 &&
                   setresuid(account.uid, account.uid, account.uid) == 0;
    must(changed, "become the unprivileged user");
}

// The securebits that are locked are those by which uid 0 would mean capabilities. NO_CAP_AMBIENT
// stays open, because shield() passes one capability to privd-types.
void lock_bounding_set() {
    constexpr unsigned long kBits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |
                                    SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED;
    for (cap_value_t capability = 0; capability <= CAP_LAST_CAP; ++capability) {
        bool dropped = cap_drop_bound(capability) == 0;
        must(dropped || errno == EINVAL, "empty the bounding set"); // EINVAL: unknown here
    }
    must(prctl(PR_SET_SECUREBITS, kBits) == 0, "lock the securebits");
}

} // namespace

void must(bool good, const char* what, std::string_view on) {
    if (good)
        return;
    os::print("privd", os::error(what, on), "");
    _exit(EXIT_FAILURE);
}

Account find_account(const char* name) {
    if (name == nullptr && geteuid() != 0)
        return {geteuid(), getegid()};
    const passwd* entry = getpwnam(name != nullptr ? name : "tiercel");
    if (entry != nullptr)
        return {entry->pw_uid, entry->pw_gid};
    if (name == nullptr)
        return unused_account();
    auto number = os::parse_unsigned(name);
    errno = 0; // an account that is not there is no errno
    must(number.has_value() && *number < ~0u, "find the user", name);
    auto uid = static_cast<uid_t>(*number);
    const passwd* of_number = getpwuid(uid);
    return {uid, of_number != nullptr ? of_number->pw_gid : uid};
}

std::uint64_t hold_only(std::uint64_t mask) {
    Sets sets = read_sets();
    sets.permitted &= mask;
    sets.inheritable &= mask;
    must(write_sets(sets), "drop capabilities");
    return sets.permitted;
}

void inherit_nothing() {
    must(write_sets({read_sets().permitted, 0}), "empty the inheritable set");
}

void become(Account account, std::uint64_t mask) {
    if (geteuid() == 0)
        change_account(account);
    // Inheritable can be raised only before the bounding set is empty. It gives nothing by itself.
    std::uint64_t left = read_sets().permitted & (mask | bit(CAP_SETPCAP));
    must(write_sets({left, left & mask}), "drop capabilities");
    if (left & bit(CAP_SETPCAP))
        lock_bounding_set();
    hold_only(mask);
    bool given_up = cap_reset_ambient() == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
                    prctl(PR_SET_DUMPABLE, 0) == 0;
    must(given_up, "give up privilege");
}

bool shield(std::uint64_t mask) {
    std::uint64_t held = read_sets().permitted & mask;
    std::uint64_t lowest = held & (~held + 1);
    if (lowest == 0)
        return true; // there is nothing to protect: without a capability nothing is loaded
    return write_sets({lowest, lowest}) && cap_set_ambient(__builtin_ctzll(lowest), CAP_SET) == 0;
}

} // namespace tiercel::privd
