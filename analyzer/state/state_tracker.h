// SPDX-License-Identifier: Apache-2.0
//
// StateTracker keeps the tables of threads, fds, users and containers up to date. Give it each
// event once, in order of time, before you read the state. A change is visible with its event; a
// thread or fd that the event ends stays visible until the next event.
//
// Missing events (a late start, drops) are no error. An unknown thread becomes a placeholder until
// its exec, a clone or an iterator's record describes it.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "analyzer/state/births.h"
#include "analyzer/state/container_table.h"
#include "analyzer/state/flat_map.h"
#include "analyzer/state/text_cache.h"
#include "analyzer/state/thread.h"
#include "analyzer/state/users.h"
#include "shared/event/view.h"

namespace tiercel::state {

struct Limits {
    std::size_t threads = 131072;
    std::size_t fds = 65536;                            // of one process
    std::size_t bytes = std::size_t{256} * 1024 * 1024; // of all tables and texts
};

struct Options {
    // Takes the working directory from execve events. Falco ignores that parameter, so replays that
    // must agree with Falco turn this off.
    bool cwd_from_exec = true;
};

struct Counters {
    std::uint64_t evicted_threads = 0;  // forgotten because the table was full
    std::uint64_t refused_fds = 0;      // given up because the process's table was full
    std::uint64_t forgotten_tables = 0; // tables of idle processes given up to save memory
    std::uint64_t placeholders = 0;     // threads whose first event did not describe them
    std::uint64_t unknown_fds = 0;      // events on fds that were not known
};

// The thread and fd of an event, as far as they are known. Valid until the next apply().
struct Current {
    static constexpr std::int64_t kNoFd = -1;

    Thread* thread = nullptr;
    const Fd* fd = nullptr;      // the event's main fd
    std::int64_t fd_num = kNoFd; // its number, which is known even if `fd` is null
    bool fd_name_changed = false;
};

// Whether the tables become wrong without events of that code, so that a driver must always send
// them. Reads and writes are excluded: they only refine the tables, and are too many.
bool lives_on(std::uint16_t code);

class StateTracker {
  public:
    explicit StateTracker(Limits limits = {}, Options options = {});
    const Options& options() const { return options_; }
    ~StateTracker();
    StateTracker(StateTracker&&) noexcept;

    const Current& apply(const event::EventView& event, std::uint16_t cpu);
    const Current& current() const { return current_; }
    // Removes the threads and fds that the last event ended. Call it to read the state between two
    // events; apply() begins with it.
    void settle();

    // Returns nullptr if the thread is not known.
    Thread* find(std::int64_t tid);
    const Thread* find(std::int64_t tid) const {
        return const_cast<StateTracker*>(this)->find(tid);
    }
    // The leader of the thread's process; nullptr if it is not known.
    const Thread* leader(const Thread& thread) const {
        return thread.is_leader() ? &thread : thread.is_placeholder() ? nullptr : find(thread.pid);
    }
    // The leader of the parent process; nullptr if it is not known or `thread` is the first
    // process.
    const Thread* parent(const Thread& thread) const;
    std::size_t thread_count() const { return threads_.size(); }
    // Limits the memory of the state. When it takes more, the knowledge of the processes that have
    // been idle longest is given up first, and counted.
    void set_memory_limit(std::size_t bytes) { limits_.bytes = bytes; }
    // Names files as the processes gave their paths, as Falco does, even if events have the
    // kernel's paths.
    void set_names_as_given(bool on) { names_as_given_ = on; }
    bool names_as_given() const { return names_as_given_; }
    // Bytes that the state takes now.
    static std::size_t memory() { return memory::in_use; }
    template <typename Visit>
    void for_each_thread(Visit&& visit) const {
        threads_.for_each(
            [&](std::int64_t, const std::unique_ptr<Thread>& thread) { visit(*thread); });
    }

    // Calls visit(child) for the leaders of the child processes of `pid`.
    template <typename Visit>
    void for_each_child(std::int64_t pid, Visit&& visit) {
        threads_.for_each([&](std::int64_t, std::unique_ptr<Thread>& thread) {
            if (thread->ptid == pid)
                visit(*thread);
        });
    }

    // These fill the state from a capture's lists or a scan. Call add() for leaders and threads in
    // any order, add_fd() for their fds, then link() once. `thread.process` may be null.
    void add(Thread thread);
    // Adds a thread of which nothing is known but its fds. They wait for add_fd().
    void add_placeholder(std::int64_t tid) { make(tid); }
    void add_fd(std::int64_t tid, std::int64_t fd, Fd entry);
    // Connects threads to their leaders' processes.
    void link_threads();
    // Does the same, and finds which ends of connections are servers.
    void link();

    Users& users() { return users_; }
    const Users& users() const { return users_; }
    Containers& containers() { return containers_; }
    const Containers& containers() const { return containers_; }
    const Counters& counters() const { return counters_; }
    // The time of boot in ns since the epoch; 0 if it is not known. Monotonic times are relative to
    // it.
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
    void set_parent(Thread& child, std::int64_t ptid);
    std::size_t fd_limit(const FdTable& table) const;
    Thread* next_idle();
    void evict();
    void keep_to_budget();
    void find_roles();

    FlatMap<std::unique_ptr<Thread>> threads_;
    Births births_;
    TextCache texts_;
    Thread* last_ = nullptr; // the thread found last, because events come in runs
    Users users_;
    Containers containers_;
    Limits limits_;
    Options options_;
    Counters counters_;
    Current current_;
    bool names_as_given_ = false;
    bool started_ = false;     // the lists are complete
    std::uint32_t events_ = 0; // applied so far; wraps
    std::size_t hand_ = 0;     // the slot at which next_idle() goes on
    std::size_t peak_ = 0;     // the most memory since the last return of memory to the system
    std::uint64_t boot_ns_ = 0;
    std::uint64_t first_ts_ = 0;
    std::uint64_t previous_ts_ = 0;
    std::uint64_t this_ts_ = 0;
    // The thread and fds that the last event ended; settle() removes them.
    std::int64_t dead_tid_ = -1;
    std::shared_ptr<FdTable> closed_in_;
    std::int64_t closed_fd_ = -1;
    std::int64_t closed_last_ = -1;
};

} // namespace tiercel::state
