// SPDX-License-Identifier: Apache-2.0
//
// Interest: which events a program can match at all: what a driver has to be asked for.
#pragma once

#include <bitset>
#include <vector>

#include "analyzer/filter/program.h"
#include "shared/event/table.h"

namespace tiercel::filter {

struct Interest {
    std::bitset<event::kCodeLimit> codes;
    std::vector<const event::SyscallInfo*> syscalls; // in the table's order
};

Interest interest_of(const Program& program);

} // namespace tiercel::filter
