// SPDX-License-Identifier: Apache-2.0
//
// Interest: which events a program can match at all: what a driver has to be asked for.
#pragma once

#include <bitset>
#include <vector>

#include "analyzer/match/program.h"
#include "shared/event/table.h"

namespace tiercel::filter {

// A condition that more kinds of event than this can meet does not say which it is about.
inline constexpr std::size_t kManyKinds = 100;

struct Interest {
    std::bitset<event::kCodeLimit> codes;
    std::bitset<event::kCodeLimit> named; // by conditions that say which events they are about
    std::vector<const event::SyscallInfo*> syscalls; // in the table's order
    std::vector<std::size_t> kinds;                  // of event that each condition can meet
};

Interest interest_of(const Program& program);

} // namespace tiercel::filter
