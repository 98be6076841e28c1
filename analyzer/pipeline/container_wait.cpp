// SPDX-License-Identifier: Apache-2.0
#include "analyzer/pipeline/container_wait.h"

#include <algorithm>

#include "analyzer/state/container.h"
#include "analyzer/state/params.h"
#include "shared/event/params.h"
#include "shared/os/clock.h"

namespace tiercel::app {

namespace {

// Returns the cgroups that the event has of its thread; empty if it has none. The events of fork,
// clone and exec have them, in the same place (state/update_process.cpp asserts that).
std::string_view cgroups_of(const event::EventView& event) {
    namespace clone = event::param::SYSCALL_CLONE_20_X;
    switch (event.code()) {
    case event::SYSCALL_CLONE_20_X:
    case event::SYSCALL_FORK_20_X:
    case event::SYSCALL_VFORK_20_X:
    case event::SYSCALL_CLONE3_X:
    case event::SYSCALL_EXECVE_19_X:
    case event::SYSCALL_EXECVEAT_X: break;
    default: return {};
    }
    return state::bytes_text(event.param(clone::cgroups));
}

} // namespace

ContainerWait::Group* ContainerWait::open_group(std::string_view id) {
    if (!state_.containers().is_open(id))
        return nullptr;
    const auto found = std::ranges::find(groups_, id, &Group::id);
    if (found != groups_.end())
        return &*found;
    groups_.push_back(
        {.id = std::string(id), .end_ns = os::now_ns(CLOCK_MONOTONIC) + kPatienceNs, .events = {}});
    return &groups_.back();
}

ContainerWait::Group* ContainerWait::group_of(const event::EventView& event) {
    if (const auto held = tids_.find(event.tid()); held != tids_.end())
        return held->second;
    if (event.info().origin == event::Origin::ITER)
        return nullptr; // a record of a file, for the thread's next event
    state::Containers& containers = state_.containers();
    if (const std::string_view cgroups = cgroups_of(event); !cgroups.empty()) {
        containers.meet(cgroups);
        return containers.open_count() > 0 ? open_group(state::container_id(cgroups)) : nullptr;
    }
    if (containers.open_count() == 0)
        return nullptr;
    const state::Thread* thread = state_.find(event.tid());
    return thread == nullptr || thread->container_id.empty() ? nullptr
                                                             : open_group(thread->container_id);
}

bool ContainerWait::hold(const event::EventView& event, std::uint16_t cpu) {
    if (!state_.containers().is_answering() || !fields_.ask_runtimes())
        return false;
    Group* group = group_of(event);
    if (group == nullptr)
        return false;
    tids_.emplace(event.tid(), group);
    group->events.add(event, cpu);
    bytes_ += event.size();
    return true;
}

void ContainerWait::release(std::uint64_t now_ns, const Take& take) {
    const bool all = bytes_ >= kMostBytes;
    for (auto group = groups_.begin(); group != groups_.end();) {
        if (!all && state_.containers().is_open(group->id) && now_ns < group->end_ns) {
            ++group;
            continue;
        }
        state_.containers().close(group->id);
        std::erase_if(tids_, [&group](const auto& each) { return each.second == &*group; });
        HeldEvents events = std::move(group->events);
        group = groups_.erase(group);
        events.give([this, &take](const event::EventView& event, std::uint16_t cpu) {
            bytes_ -= std::min<std::size_t>(bytes_, event.size());
            take(event, cpu);
            return true;
        });
    }
}

} // namespace tiercel::app
