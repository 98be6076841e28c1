// SPDX-License-Identifier: Apache-2.0
//
// The system calls of tiercel-keeper --socket, from before it takes its first peer.
#pragma once

#include "policy/privilege/seccomp.h"

namespace tiercel::policy {

// clang-format off
constexpr Allow kKeeperSteady[] = {
    {"take a peer, see who it is, limit its time", {SCMP_SYS(accept4), SCMP_SYS(getsockopt),
     SCMP_SYS(setsockopt), SCMP_SYS(geteuid)}},
    {"what an analyzer gives, and the next one gets", {SCMP_SYS(recvmsg), SCMP_SYS(sendmsg)}},
    {"release fds", {SCMP_SYS(close)}},
    {"one error line, and leave", {SCMP_SYS(write), SCMP_SYS(exit_group)}},
};
// clang-format on

} // namespace tiercel::policy
