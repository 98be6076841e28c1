// SPDX-License-Identifier: Apache-2.0
//
// StateTracker: the tables of threads and fds, kept up to date by events. Give it each event once,
// in the order of their times, before anything looks at the state: what an event changes is visible
// with that event; what it ends (a thread, a closed fd) stays visible until the next one.
//
// What is missing (the sensor came late, events were dropped) is never an error: an unknown thread
// is a placeholder until its exec, a clone or an iterator's record tells who it is.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "analyzer/state/container_table.h"
#include "analyzer/state/flat_map.h"
#include "analyzer/state/thread.h"
#include "analyzer/state/users.h"
#include "shared/event/view.h"

namespace tiercel::state {

struct Limits {
    std::size_t threads = 131072;
    std::size_t fds = 4096; // of one process
};

struct Options {
    // execve events tell the directory. Falco leaves that parameter unread; replays that must agree
    // with it do the same.
    bool cwd_from_exec = true;
};

struct Counters {
    std::uint64_t evicted_threads = 0; // for want of room
    std::uint64_t refused_fds = 0;     // for want of room
    std::uint64_t placeholders = 0;    // threads first met without their story
    std::uint64_t unknown_fds = 0;     // events on fds that were not known
};

// What an event is about, as far as it is known. Valid until the next apply().
struct Current {
    static constexpr std::int64_t kNoFd = -1;

    Thread* thread = nullptr;
    Fd* fd = nullptr;            // the event's main fd
    std::int64_t fd_num = kNoFd; // its number; known also when the fd is not
    bool fd_name_changed = false;
};

// Whether the tables become wrong without events of that code: what a driver has to give besides
// what is asked for. Reads and writes only make them more exact, and are too many for that.
bool lives_on(std::uint16_t code);

class StateTracker {
  public:
    explicit StateTracker(Limits limits = {}, Options options = {});
    const Options& options() const { return options_; }
    ~StateTracker();
    StateTracker(StateTracker&&) noexcept;

    const Current& apply(const event::EventView& event, std::uint16_t cpu);
    const Current& current() const { return current_; }
    // Takes away what the last event ended (an exited thread, a closed fd): for whoever looks at
    // the state between two events. apply() begins with it.
    void settle();

    // nullptr: not known.
    Thread* find(std::int64_t tid);
    const Thread* find(std::int64_t tid) const {
        return const_cast<StateTracker*>(this)->find(tid);
    }
    // Of the process; nullptr when it is not known.
    const Thread* leader(const Thread& thread) const {
        return thread.is_leader() ? &thread : thread.is_placeholder() ? nullptr : find(thread.pid);
    }
    // The leader of the parent process; nullptr: not known, or `thread` is the first.
    const Thread* parent(const Thread& thread) const;
    std::size_t thread_count() const { return threads_.size(); }
    template <typename Visit>
    void for_each_thread(Visit&& visit) const {
        threads_.for_each(
            [&](std::int64_t, const std::unique_ptr<Thread>& thread) { visit(*thread); });
    }

    // Calls visit(child) for the leaders of the processes that `pid` has made.
    template <typename Visit>
    void for_each_child(std::int64_t pid, Visit&& visit) {
        threads_.for_each([&](std::int64_t, std::unique_ptr<Thread>& thread) {
            if (thread->ptid == pid)
                visit(*thread);
        });
    }

    // Start from lists: a capture's process and fd lists, or a scan. `thread.process` may be null.
    // add() must be called for leaders and threads in any order, then link() once.
    void add(Thread thread);
    void add_fd(std::int64_t tid, std::int64_t fd, Fd entry);
    // Threads find their leaders; fds given to threads go to their process.
    void link();

    Users& users() { return users_; }
    const Users& users() const { return users_; }
    Containers& containers() { return containers_; }
    const Containers& containers() const { return containers_; }
    const Counters& counters() const { return counters_; }
    // Epoch time of boot, ns: turns the kernel's monotonic times into times of day. 0: not known.
    void set_boot_time(std::uint64_t ns) { boot_ns_ = ns; }
    std::uint64_t boot_time() const { return boot_ns_; }
    std::uint64_t first_event_time() const { return first_ts_; }
    std::uint64_t previous_event_time() const { return previous_ts_; }

  private:
    friend struct Update;
    Thread& make(std::int64_t tid);
    void set_cgroups(Thread& thread, std::string_view cgroups);
    void name_container(Thread& thread);
    void remove(std::int64_t tid);
    void evict();
    void find_roles();

    FlatMap<std::unique_ptr<Thread>> threads_;
    Thread* last_ = nullptr; // the thread found last: events come in runs
    Users users_;
    Containers containers_;
    Limits limits_;
    Options options_;
    Counters counters_;
    Current current_;
    std::size_t hand_ = 0; // of the eviction
    std::uint64_t boot_ns_ = 0;
    std::uint64_t first_ts_ = 0;
    std::uint64_t previous_ts_ = 0;
    std::uint64_t this_ts_ = 0;
    // Ended by the event before; taken away when the next comes.
    std::int64_t dead_tid_ = -1;
    std::shared_ptr<FdTable> closed_in_;
    std::int64_t closed_fd_ = -1;
    std::int64_t closed_last_ = -1;
};

} // namespace tiercel::state
