// SPDX-License-Identifier: Apache-2.0
//
// ContainerWait: holds the events of a container back until its runtime has answered, so that rules
// and alerts have the container's fields from its first event on. It waits for a second at the
// most, and keeps the order of the container's events; those of other processes go on meanwhile.
//
// Nothing is held unless a runtime can be asked and a field is used that it gives. Held events are
// lost if the process is killed.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <string>
#include <unordered_map>

#include "analyzer/fields/fields.h"
#include "analyzer/pipeline/held_events.h"
#include "analyzer/state/state_tracker.h"

namespace tiercel::app {

class ContainerWait {
  public:
    static constexpr std::uint64_t kPatienceNs = 1'000'000'000;
    // With this much held, no container is waited for any longer.
    static constexpr std::size_t kMostBytes = 16 << 20;
    using Take = std::function<void(const event::EventView& event, std::uint16_t cpu)>;

    // Both must outlive this object.
    ContainerWait(state::StateTracker& state, const filter::Fields& fields)
        : state_(state), fields_(fields) {}

    // Returns whether the event is held; otherwise the caller processes it now.
    bool hold(const event::EventView& event, std::uint16_t cpu);
    // Passes on the events of containers that are answered, or whose time is over at `now_ns`
    // (CLOCK_MONOTONIC).
    void release(std::uint64_t now_ns, const Take& take);

  private:
    struct Group {
        std::string id; // of the container
        std::uint64_t end_ns = 0;
        HeldEvents events;
    };
    Group* group_of(const event::EventView& event);
    Group* open_group(std::string_view id);

    state::StateTracker& state_;
    const filter::Fields& fields_;
    std::list<Group> groups_;                       // the oldest first
    std::unordered_map<std::int64_t, Group*> tids_; // the threads whose events are held
    std::size_t bytes_ = 0;
};

} // namespace tiercel::app
