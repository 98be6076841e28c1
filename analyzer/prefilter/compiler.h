// SPDX-License-Identifier: Apache-2.0
//
// Compiler: from the rules and the state's needs to the kernel filter
//
// For each kind of event it derives which calls may match a rule or change the tables. Only these
// leave the kernel. What cannot be derived passes.
#pragma once

#include <bitset>
#include <cstdint>
#include <string>
#include <vector>

#include "analyzer/fields/fields.h"
#include "analyzer/prefilter/box.h"
#include "analyzer/rules/ruleset.h"
#include "shared/event/filter.h"
#include "shared/event/table.h"

namespace tiercel::prefilter {

struct Wish {
    // The calls of one event that pass, and which rules ask for some of them.
    struct Pass {
        Box calls;
        bool tables = false; // the tables of processes and files need them
        std::vector<filter::RuleId> rules;
    };
    std::uint16_t code = 0;
    std::vector<Pass> passes; // empty: nothing passes
};

struct Compiled {
    std::vector<Wish> wishes; // by code; an event that neither a rule nor the tables need has none
    tiercel_filter filter{};
    std::string needs_all_files; // the rule for which all open files are followed (descriptors.h)
    std::string off;             // why nothing is filtered; empty: the filter is in force
};

// Compiles the rules that are enabled. `state` says that the tables are kept (interest.h); events
// with a code of `always` pass.
Compiled compile(const rules::RuleSet& rules, const filter::Fields& fields, bool state,
                 const std::bitset<event::kCodeLimit>& always);

// Whether every event that `wanted` passes also passes `loaded`, as far as single rows tell.
bool covers(const tiercel_filter& loaded, const tiercel_filter& wanted);

} // namespace tiercel::prefilter
