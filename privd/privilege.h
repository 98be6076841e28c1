// SPDX-License-Identifier: Apache-2.0
//
// Giving privilege up. Nothing here ever gains any. What cannot be given up ends the process,
// because to go on with more than was planned would be worse than not to run.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <ctime>
#include <string_view>

#include "shared/wire/messages.h"

namespace tiercel::privd {

struct Account {
    uid_t uid;
    gid_t gid;
};

// Unless `good`, ends the process with exit code 1 and one line on stderr: what failed, on what,
// and errno if it is not 0.
void must(bool good, const char* what, std::string_view on = {});

// Returns the account of that name, or of that number if `name` has digits alone. With nullptr:
// when run as root `tiercel`, or where there is none an account that nothing else uses; otherwise
// the account that this process already has. Ends the process if the account does not exist.
Account find_account(const char* name);

// Becomes the account, if run as root, holding at most the capabilities of `mask`; sets
// no_new_privs and not dumpable; empties the bounding and ambient sets and locks the securebits.
// What is left stays inheritable, for shield(); inherit_nothing() ends that. The bounding set and
// the securebits need CAP_SETPCAP; a privd that does not start as root has its bounding set from
// its unit.
void become(Account account, std::uint64_t mask);

// Drops, for good, every capability that is not in `mask`. Returns the capabilities that are left.
std::uint64_t hold_only(std::uint64_t mask);

// How long this process has held which capabilities, in order, up to the last change of its sets.
extern wire::Held held_so_far[wire::kHeldMax];

// Empties the inheritable set, when no other program will be run.
void inherit_nothing();

// Holds one capability of `mask`, the lowest that there is, and keeps it over the next exec. A
// process that lacks it may then not look into this one (kernel/ptrace.c), although exec makes it
// dumpable again. Returns false with errno.
bool shield(std::uint64_t mask);

} // namespace tiercel::privd
