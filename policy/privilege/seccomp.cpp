// SPDX-License-Identifier: Apache-2.0
#include "policy/privilege/seccomp.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

namespace tiercel::policy {

scmp_filter_ctx make_filter(std::span<const Allow> list) {
    const scmp_arg_cmp checks[] = {{}, // by enum Only
                                   {2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0},
                                   {3, SCMP_CMP_EQ, AT_EMPTY_PATH, 0},
                                   {0, SCMP_CMP_EQ, static_cast<scmp_datum_t>(getpid()), 0},
                                   {2, SCMP_CMP_EQ, reopen_flags, 0},
                                   {1, SCMP_CMP_MASKED_EQ, 0xff00, 0xf700},
                                   {0, SCMP_CMP_EQ, AF_UNIX, 0}};
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
    bool good = filter &&
                seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) == 0 &&
                seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1) == 0;
    for (const auto& [why, calls, only] : list)
        for (int call : calls)
            good =
                good && seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, call, only != Only::anything,
                                               &checks[static_cast<unsigned>(only)]) == 0;
    if (!good)
        seccomp_release(filter);
    return good ? filter : nullptr;
}

os::Result<void> allow_only(std::span<const Allow> list) {
    scmp_filter_ctx filter = make_filter(list);
    int failure = filter ? seccomp_load(filter) : -EINVAL;
    seccomp_release(filter);
    if (failure)
        return os::error("install a seccomp filter", {}, -failure);
    return {};
}

} // namespace tiercel::policy
