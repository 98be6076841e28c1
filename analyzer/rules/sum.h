// SPDX-License-Identifier: Apache-2.0
//
// The sum by which a fleet tells which rules a machine has loaded.
#pragma once

#include <array>
#include <cstdint>

#include "analyzer/rules/source.h"

namespace tiercel::rules {

using Sha256 = std::array<std::uint8_t, 32>;

// Returns the SHA-256 of the files' texts one after the other, in the order in which they were
// loaded: what `cat FILE... | sha256sum` prints.
Sha256 sum_of(const Sources& sources);

} // namespace tiercel::rules
