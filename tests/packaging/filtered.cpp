// SPDX-License-Identifier: Apache-2.0
//
// filtered: runs the analyzer under the filter that its unit installs before the exec, so that a
// call that is not on the lists fails here, and not first on a user's machine.
//
// Usage: filtered [--also NAME,...] ANALYZER [ARGUMENT]...     killed by SIGSYS: something is
// missing
// --also: more system calls, as a drop-in of the unit allows them
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "tests/packaging/unit_lists.h"

using namespace tiercel::policy;

namespace {

// As systemd has it: by the call alone; and RestrictAddressFamilies=AF_UNIX refuses without
// killing.
bool allow(scmp_filter_ctx filter, int call) {
    if (call != SCMP_SYS(socket))
        return seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0) == 0;
    return seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 1, SCMP_A0(SCMP_CMP_EQ, AF_UNIX)) == 0 &&
           seccomp_rule_add(filter, SCMP_ACT_ERRNO(EAFNOSUPPORT), call, 1,
                            SCMP_A0(SCMP_CMP_NE, AF_UNIX)) == 0;
}

// Names that this architecture does not have are left out, as systemd does.
bool allow_names(scmp_filter_ctx filter, char* names) {
    bool good = true;
    for (char* name = std::strtok(names, ","); name != nullptr; name = std::strtok(nullptr, ","))
        if (const int call = seccomp_syscall_resolve_name(name); call >= 0)
            good = good && allow(filter, call);
    return good;
}

} // namespace

int main(int argc, char** argv) {
    const scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
    bool good = argc > 1 && filter != nullptr;
    for (const std::span<const Allow> list : tiercel::test::kAnalyzerUnit)
        for (const Allow& each : list)
            for (const int call : each.calls)
                good = good && allow(filter, call);
    if (good && argc > 3 && std::strcmp(argv[1], "--also") == 0) {
        good = allow_names(filter, argv[2]);
        argv += 2;
    }
    if (!good || seccomp_load(filter) != 0)
        return std::puts("filtered: the filter cannot be installed"), 1;
    execv(argv[1], argv + 1);
    return 1;
}
