// SPDX-License-Identifier: Apache-2.0
#include "analyzer/match/interest.h"

#include <algorithm>

#include "analyzer/match/event_kind.h"

namespace tiercel::filter {

Interest interest_of(const Program& program) {
    Interest interest;
    interest.kinds.resize(program.rules);
    for (EventKind kind = 0; kind < kind_count(); ++kind)
        for (const RuleId rule : program.rules_of_kind[kind])
            interest.kinds[rule] += kind != kUnknownKind ? 1 : 0;
    for (EventKind kind = 0; kind < event::kCodeLimit; ++kind) {
        const auto& rules = program.rules_of_kind[kind];
        if (kind == kUnknownKind || rules.empty())
            continue;
        interest.codes.set(kind);
        if (std::ranges::any_of(rules,
                                [&](RuleId rule) { return interest.kinds[rule] <= kManyKinds; }))
            interest.named.set(kind);
    }
    EventKind generic = event::kCodeLimit;
    for (const event::SyscallInfo& call : event::syscalls()) {
        const bool own = call.event < event::kCodeLimit && interest.codes[call.event];
        const bool named = !program.rules_of_kind[generic].empty();
        if (named && call.event == event::GENERIC_X)
            interest.codes.set(event::GENERIC_X);
        if (named || (own && call.event != event::GENERIC_X))
            interest.syscalls.push_back(&call);
        ++generic;
    }
    return interest;
}

} // namespace tiercel::filter
