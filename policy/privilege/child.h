// SPDX-License-Identifier: Apache-2.0
//
// Children of the analyzer: forked processes that serve it over a socket, each with a system call
// list of its own.
#pragma once

#include <span>

#include "policy/privilege/seccomp.h"

namespace tiercel::policy {

// Confines this process, which has just been forked: it gets the name, no new privileges and no
// system call but `calls` (`refused` says what becomes of others), and keeps `socket` alone of the
// descriptors from `first_closed` on. Signals to the whole group are ignored, because the end of
// the socket ends the process. Ends the process with 1 if the calls cannot be restricted.
void become_child(const char* name, int socket, int first_closed, std::span<const Allow> calls,
                  Refused refused = Refused::kill);

} // namespace tiercel::policy
