// SPDX-License-Identifier: Apache-2.0
#include "analyzer/filter/interest.h"

#include "analyzer/filter/event_kind.h"

namespace tiercel::filter {

Interest interest_of(const Program& program) {
    Interest interest;
    for (EventKind kind = 0; kind < event::kCodeLimit; ++kind) {
        if (kind != kUnknownKind && !program.rules_of_kind[kind].empty())
            interest.codes.set(kind);
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
