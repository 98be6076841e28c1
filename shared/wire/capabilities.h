// SPDX-License-Identifier: Apache-2.0
//
// The capabilities of capabilities.def, with their numbers and names.
#pragma once

#include <linux/capability.h>

#include <string_view>

namespace tiercel::wire {

struct CapabilityRow {
    int number;       // CAP_BPF
    const char* name; // "CAP_BPF"
};

constexpr CapabilityRow kCapabilityTable[] = {
#define CAPABILITY(name) {CAP_##name, "CAP_" #name},
#include "shared/wire/capabilities.def"
#undef CAPABILITY
};

// Returns the name of the capability, or "unknown" for one that no driver needs.
constexpr const char* capability_name(int number) {
    for (const CapabilityRow& row : kCapabilityTable)
        if (row.number == number)
            return row.name;
    return "unknown";
}

} // namespace tiercel::wire
