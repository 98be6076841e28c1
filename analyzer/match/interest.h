// SPDX-License-Identifier: Apache-2.0
//
// Interest: the events that a program can match, which a driver has to deliver.
#pragma once

#include <bitset>
#include <vector>

#include "analyzer/match/program.h"
#include "shared/event/table.h"

namespace tiercel::filter {

// A condition that more kinds of event than this can match does not name its events.
inline constexpr std::size_t kManyKinds = 100;

struct Interest {
    std::bitset<event::kCodeLimit> codes;
    std::bitset<event::kCodeLimit> named;            // by conditions that name their events
    std::vector<const event::SyscallInfo*> syscalls; // in the table's order
    std::vector<std::size_t> kinds; // number of kinds that each condition can match
};

Interest interest_of(const Program& program);

} // namespace tiercel::filter
