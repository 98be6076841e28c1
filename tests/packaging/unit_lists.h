// SPDX-License-Identifier: Apache-2.0
//
// The lists of policy/privilege/ that SystemCallFilter= of tiercel.service holds. The unit gets
// them from cmake/SyscallLists.cmake, which the tests compare with these.
#pragma once

#include <span>

#include "policy/privilege/analyzer_syscalls.h"
#include "policy/privilege/start_syscalls.h"

namespace tiercel::test {

inline constexpr std::span<const policy::Allow> kAnalyzerUnit[] = {
    policy::kAnalyzerStart,         policy::kAnalyzerSteady,    policy::kAnalyzerMetrics,
    policy::kAnalyzerNamedCaptures, policy::kAnalyzerOverwrite,
};

} // namespace tiercel::test
