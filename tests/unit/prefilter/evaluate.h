// SPDX-License-Identifier: Apache-2.0
//
// The kernel filter on decoded events: what kernel/common/prefilter.h does with a call, done with
// the event of it. It lets a recording of all events tell what a filter would have kept back.
#pragma once

#include "shared/event/filter.h"
#include "shared/event/view.h"

namespace tiercel::state {
class StateTracker;
}

namespace tiercel::prefilter {

// Whether the event passes. `state` is that before the event, with all events applied.
bool passes(const tiercel_filter& filter, const event::EventView& event, std::uint16_t cpu,
            const state::StateTracker& state);

} // namespace tiercel::prefilter
