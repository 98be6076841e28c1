// SPDX-License-Identifier: Apache-2.0
//
// The capability plan: for a driver on a kernel, which capabilities privd needs and until when. A
// pure function over KernelFacts; its rules are the table of plan.cpp. privd enforces what it says;
// `analyzer --explain-caps` prints it with the words of reasons.h; `privd --prove-caps` compares it
// with the kernel's answers.
#pragma once

#include "policy/privilege/facts.h"
#include "shared/wire/capabilities.h"
#include "shared/wire/drivers.h"

namespace tiercel::policy {

using wire::Driver;

// In this order; a capability once dropped does not come back. `separate` is not privd's: another
// process needs the capability, once (modprobe).
enum class Phase : std::uint8_t { separate, start, raise_limit, load, attach, handover, door };

struct Plan {
    bool raise_memlock = false;  // RLIMIT_MEMLOCK has to be infinite before the load
    std::uint64_t masks[7] = {}; // by phase

    // Mask of the capabilities held in a phase; Phase::start has all of privd's.
    [[nodiscard]] std::uint64_t held(Phase phase) const {
        return masks[static_cast<unsigned>(phase)];
    }
};

Plan plan(Driver driver, const KernelFacts& facts);

} // namespace tiercel::policy
