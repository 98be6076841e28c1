// SPDX-License-Identifier: Apache-2.0
//
// Update: applies one event to the state. Each family of events has its handlers in a file
// update_*.cpp, which lists them in a table by event code. The tracker calls the event's handler.
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
    Current& now; // now.thread is null only in handlers that set `anyone`

    // Every exit event begins with the call's result, called `res` or `fd`.
    static constexpr std::uint32_t kResult = 0;

    Thread& thread() const { return *now.thread; }
    Process& process() const { return *now.thread->process; }
    std::uint32_t flags_param(std::uint32_t index) const {
        return event.number<std::uint32_t>(index).value_or(0);
    }
    // The call's return value; 0 if the event has none.
    std::int64_t result() const { return event.number<std::int64_t>(kResult).value_or(0); }
    bool succeeded() const { return result() >= 0; }

    // Puts `fd` into the thread's fd table and makes it the event's fd.
    void add_fd(std::int64_t number, Fd fd) const;
    // The event's fd for a change, or nullptr.
    Fd* edit_fd() const;
    // Closes first … last before the next event, because this event still shows the fds.
    void close_later(std::int64_t first, std::int64_t last) const;
    void die_later() const { tracker.dead_tid_ = now.thread->tid; }

    Thread* find(std::int64_t tid) const { return tracker.find(tid); }
    Thread& make(std::int64_t tid) const { return tracker.make(tid); }
    void set_cgroups(Thread& thread, std::string_view cgroups) const {
        tracker.set_cgroups(thread, cgroups);
    }
    void remove(std::int64_t tid) const { tracker.remove(tid); }
    void set_parent(Thread& child, std::int64_t ptid) const { tracker.set_parent(child, ptid); }
    Births& births() const { return tracker.births_; }
    // The kernel's path in parameter `index`; empty if the event has none, or names go as given.
    std::string_view kernel_path(std::uint32_t index) const;
    // Makes the kernel's path the name of `fd`, and keeps the name that it has beside.
    void rename(Fd& fd, std::string_view kernel_path) const;
    // These take the namespaces in parameter `index`, and the real user in `index` with the
    // namespaces behind it. They keep what the event does not tell.
    void take_namespaces(Thread& thread, std::uint32_t index) const;
    void take_real_identity(Thread& thread, std::uint32_t index) const;
    // Whether the event comes after the lists of what existed at the start.
    bool is_started() const { return tracker.started_; }
    // A Text that equal texts of other threads share.
    Text text(std::string_view text) const { return tracker.texts_.share(text); }
    // The path of the directory `dirfd`, ending in '/'; "<UNKNOWN>/" if it is not known.
    std::string directory(std::int64_t dirfd) const;
    // The enter event of this exit event, if the capture had one.
    std::optional<event::EventView> enter() const;
};

struct Handler {
    std::uint16_t code = 0;
    void (*apply)(const Update&) = nullptr;
    // Called for unknown threads too, without making a placeholder for them.
    bool anyone = false;
};

std::span<const Handler> process_handlers();
std::span<const Handler> identity_handlers();
std::span<const Handler> file_handlers();
std::span<const Handler> socket_handlers();
std::span<const Handler> iterator_handlers();

using event::kAtFdcwd;

} // namespace tiercel::state
