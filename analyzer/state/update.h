// SPDX-License-Identifier: Apache-2.0
//
// Update: one event on its way into the state. Each family of events has its handlers in a file
// update_*.cpp and lists them in a table by event code; the tracker calls the one that fits.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "analyzer/state/socket.h"
#include "analyzer/state/state_tracker.h"
#include "shared/event/view.h"

namespace tiercel::state {

struct Update {
    StateTracker& tracker;
    const event::EventView& event;
    Current& now; // now.thread is set, except for handlers of kind `anyone`

    Thread& thread() const { return *now.thread; }
    Process& process() const { return *now.thread->process; }
    std::uint32_t flags_param(std::uint32_t index) const {
        return event.number<std::uint32_t>(index).value_or(0);
    }
    // What the call returned; 0 for events that say nothing.
    std::int64_t result() const { return event.number<std::int64_t>(0).value_or(0); }
    bool succeeded() const { return result() >= 0; }

    // Puts it in the thread's fd table and makes it the event's fd.
    Fd* add_fd(std::int64_t number, Fd fd) const;
    // Closed with the next event, so that this one still sees it.
    void close_later(std::int64_t first, std::int64_t last) const;
    void die_later() const { tracker.dead_tid_ = now.thread->tid; }

    Thread* find(std::int64_t tid) const { return tracker.find(tid); }
    Thread& make(std::int64_t tid) const { return tracker.make(tid); }
    void set_cgroups(Thread& thread, std::string_view cgroups) const {
        tracker.set_cgroups(thread, cgroups);
    }
    void remove(std::int64_t tid) const { tracker.remove(tid); }
    void count_refused_fd() const { ++tracker.counters_.refused_fds; }
    // The directory that `dirfd` stands for, ending in '/'; "<UNKNOWN>/" when it is not known.
    std::string directory(std::int64_t dirfd) const;
    // The enter event that the thread kept, when it is the one of this exit event.
    std::optional<event::EventView> enter() const;
};

struct Handler {
    std::uint16_t code = 0;
    void (*apply)(const Update&) = nullptr;
    bool anyone =
        false; // also when the thread is not known, and without making a placeholder of it
};

std::span<const Handler> process_handlers();
std::span<const Handler> identity_handlers();
std::span<const Handler> file_handlers();
std::span<const Handler> socket_handlers();
std::span<const Handler> iterator_handlers();

using event::kAtFdcwd;

} // namespace tiercel::state
