// SPDX-License-Identifier: Apache-2.0
//
// Reader: reads the items of one rule file (lists, macros, rules, requirements), passes them to the
// Collector, and reports every mistake.
#pragma once

#include "analyzer/rules/collector.h"

namespace tiercel::rules {

// The newest Falco engine whose rule language and fields we speak (that of Falco 0.44).
struct EngineVersion {
    unsigned major = 0, minor = 0, patch = 0;
};
inline constexpr EngineVersion kEngineVersion{0, 62, 0};

// Reads `file` of `sources` into `collector`.
void read_rules(const Sources& sources, std::uint32_t file, Collector& collector,
                Diagnostics& diagnostics);

} // namespace tiercel::rules
