// SPDX-License-Identifier: Apache-2.0
#include "privd/privd.h"

#include <cstdlib>
#include <grp.h>
#include <linux/securebits.h>
#include <pwd.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <unistd.h>

namespace tiercel::privd {

void must(bool good, const char* what, std::string_view on) {
    if (good)
        return;
    os::print("privd", os::error(what, on), "");
    _exit(EXIT_FAILURE);
}

Account find_account(const char* name) {
    if (!name && geteuid() != 0)
        return {geteuid(), getegid()};
    const passwd* entry = getpwnam(name ? name : "tiercel");
    if (!entry && !name)
        entry = getpwnam("nobody");
    errno = 0; // not found is no errno
    must(entry, "find the user", name ? name : "nobody");
    return {entry->pw_uid, entry->pw_gid};
}

std::uint64_t hold_only(std::uint64_t mask) {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct sets[2]; // capabilities 0 to 31, and the others
    must(capget(&header, sets) == 0, "read the capabilities");
    for (int i = 0; i < 2; ++i) {
        __u32 left = sets[i].permitted & static_cast<__u32>(mask >> 32 * i);
        sets[i] = {.effective = left, .permitted = left, .inheritable = 0};
    }
    must(capset(&header, sets) == 0, "drop capabilities");
    return std::uint64_t{sets[1].permitted} << 32 | sets[0].permitted;
}

void become(Account account, std::uint64_t mask) {
    // Every securebit and its lock, but for KEEP_CAPS, which is off after the change of uid.
    constexpr unsigned long bits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |
                                   SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED |
                                   SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
    constexpr std::uint64_t setpcap = 1u << CAP_SETPCAP;
    must(geteuid() != 0 || (prctl(PR_SET_KEEPCAPS, 1) == 0 && setgroups(0, nullptr) == 0 &&
                            setresgid(account.gid, account.gid, account.gid) == 0 &&
                            setresuid(account.uid, account.uid, account.uid) == 0),
         "become the unprivileged user");
    if (hold_only(mask | setpcap) & setpcap) {
        for (cap_value_t capability = 0; capability <= CAP_LAST_CAP;
             ++capability) // EINVAL: unknown here
            must(cap_drop_bound(capability) == 0 || errno == EINVAL, "empty the bounding set");
        must(prctl(PR_SET_SECUREBITS, bits) == 0, "lock the securebits");
    }
    hold_only(mask);
    must(cap_reset_ambient() == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
             prctl(PR_SET_DUMPABLE, 0) == 0,
         "give up privilege");
}

} // namespace tiercel::privd
