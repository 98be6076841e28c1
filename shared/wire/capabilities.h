// SPDX-License-Identifier: Apache-2.0
//
// The capabilities of capabilities.def, with their numbers and names.
#pragma once

#include <linux/capability.h>

#include <span>
#include <string_view>

#include "shared/wire/messages.h"

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

// Returns how long the capability was held, in nanoseconds.
constexpr std::uint64_t held_ns(std::span<const Held> held, int capability) {
    std::uint64_t sum = 0;
    for (const Held& each : held)
        sum += (each.capabilities >> capability & 1) != 0 ? each.ns : 0;
    return sum;
}

} // namespace tiercel::wire
