// SPDX-License-Identifier: Apache-2.0
//
// The plan in words: which check of the kernel asks for a capability, and what here decided. Texts
// for --explain-caps; privd holds none of them.
#pragma once

#include <string>

#include "policy/privilege/host.h"

namespace tiercel::policy {

struct Reason {
    bool needed;
    const char* until;   // the phase after which it is dropped; "" when not needed
    const char* check;   // file and function of the kernel; "" when nothing asks for it
    std::string decided; // what on this machine decided it
};

// Why `capability` is or is not in plan(driver, facts).
Reason explain(Driver driver, int capability, const HostFacts& facts);

// One clause each, without a full stop.
const char* name(Phase phase);
std::string describe(Blocker blocker, const HostFacts& facts);

// "6.1"
std::string version_text(unsigned version);

} // namespace tiercel::policy
