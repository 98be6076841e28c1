// SPDX-License-Identifier: Apache-2.0
//
// Handlers of the events by which processes and threads begin, execute programs and end.
#include <string>

#include "analyzer/state/container.h"
#include "analyzer/state/params.h"
#include "analyzer/state/path.h"
#include "analyzer/state/update.h"
#include "shared/event/params.h"

namespace tiercel::state {
namespace {

using namespace event;

// A thread that was created longer ago than this and shows up as new again is another thread.
constexpr std::uint64_t kStaleCloneNs = 2'000'000'000;

namespace clone = event::param::SYSCALL_CLONE_20_X;
namespace exec = event::param::SYSCALL_EXECVE_19_X;
namespace clone_flags = event::flags::clone_flags;
// The events of one family have their parameters in the same order.
static_assert(+clone::pidns_init_start_ts == +param::SYSCALL_FORK_20_X::pidns_init_start_ts &&
              +clone::pidns_init_start_ts == +param::SYSCALL_VFORK_20_X::pidns_init_start_ts &&
              +clone::pidns_init_start_ts == +param::SYSCALL_CLONE3_X::pidns_init_start_ts);
static_assert(+clone::ruid == +param::SYSCALL_FORK_20_X::ruid &&
              +clone::ruid == +param::SYSCALL_VFORK_20_X::ruid &&
              +clone::ruid == +param::SYSCALL_CLONE3_X::ruid);
static_assert(+exec::gid == +param::SYSCALL_EXECVEAT_X::gid);
// exec events begin as clone events do.
static_assert(+clone::exe == +exec::exe && +clone::comm == +exec::comm &&
              +clone::cgroups == +exec::cgroups);

void take_memory(const EventView& event, Thread& thread) {
    take<std::uint64_t>(event, clone::pgft_maj, thread.pgft_maj);
    take<std::uint64_t>(event, clone::pgft_min, thread.pgft_min);
    take<std::uint32_t>(event, clone::vm_size, thread.vm_size);
    take<std::uint32_t>(event, clone::vm_rss, thread.vm_rss);
    take<std::uint32_t>(event, clone::vm_swap, thread.vm_swap);
}

void take_cgroups(const Update& update, Thread& thread) {
    const std::string_view cgroups = bytes_text(update.event.param(clone::cgroups));
    if (!cgroups.empty() && thread.cgroups.view() != cgroups)
        update.set_cgroups(thread, cgroups);
}

// The thread's name in a clone event, or the program's in events from before 2015.
std::string_view comm_of(const EventView& event) {
    return event.text(event.param(clone::comm).empty() ? clone::exe : clone::comm);
}

// Takes the program from a clone event of the thread or of its parent, which run the same.
void take_program(const Update& update, Thread& thread) {
    const EventView& event = update.event;
    if (!event.param(clone::exe).empty())
        thread.exe = update.text(event.text(clone::exe));
    thread.comm = update.text(comm_of(event));
    thread.args = update.text(bytes_text(event.param(clone::args)));
}

// exec names a process, and prctl names a thread. A child of the same program keeps the process's
// name; a different name in the event is the thread's own.
void take_names(const EventView& event, Thread& child, const Thread& from) {
    const bool same_program =
        event.param(clone::exe).empty() || event.text(clone::exe) == from.exe.view();
    if (!same_program || from.comm.empty())
        return;
    const std::string_view own = comm_of(event);
    child.comm = from.comm;
    child.name = own == from.comm.view() ? Text() : own == from.name.view() ? from.name : Text(own);
}

void leave_process(Thread& thread) {
    --thread.process->threads;
    thread.process.reset();
}

// Copies to the child what clone(2) does: a thread shares its process, and a process starts with a
// copy.
void inherit(Thread& child, const Thread& from) {
    child.exepath = from.exepath;
    child.args_cut = from.args_cut;
    child.exe_flags = from.exe_flags;
    child.root = from.root;
    child.sid = from.sid;
    child.pgid = from.pgid;
    child.vpgid = from.vpgid;
    child.tty = from.tty;
    child.loginuid = from.loginuid;
    child.ruid = from.ruid;
    child.namespaces = from.namespaces;
    child.cap_inheritable = from.cap_inheritable;
    child.cap_permitted = from.cap_permitted;
    child.cap_effective = from.cap_effective;
    child.exe_ino = from.exe_ino;
    child.exe_ctime = from.exe_ctime;
    child.exe_mtime = from.exe_mtime;
    child.exe_ctime_to_clone = from.exe_ctime_to_clone;
    child.cgroups = from.cgroups;
    child.container_id = from.container_id;
    leave_process(child);
    if ((child.flags & Thread::is_thread) != 0) {
        child.process = from.process;
        child.exec_ts = from.exec_ts;
        ++child.process->threads;
        return;
    }
    child.process = make_process(*from.process);
    child.process->threads = 1;
    child.process->subreaper = false;
    if ((child.flags & Thread::shares_directory) == 0)
        child.process->cwd.unshare();
    if ((child.flags & Thread::shares_files) == 0)
        child.process->fds = make_fds(*from.process->fds);
}

void set_pidns_start(const Update& update, Thread& child) {
    const bool nested =
        (child.flags & (Thread::in_pid_namespace | Thread::new_pid_namespace)) != 0 ||
        child.tid != child.vtid;
    child.pidns_start_ts = update.tracker.boot_time();
    if (nested)
        child.pidns_start_ts +=
            update.event.number<std::uint64_t>(clone::pidns_init_start_ts).value_or(0);
}

// Fills the entry of a new thread from its own clone event or its parent's.
void fill_child(const Update& update, Thread& child, const Thread* from) {
    const EventView& event = update.event;
    take_program(update, child);
    if (from != nullptr && from != &child && !from->is_placeholder()) {
        inherit(child, *from);
        take_names(event, child, *from);
        if (child.exe.empty())
            child.exe = from->exe;
    }
    take<std::int64_t>(event, clone::fdlimit, child.fdlimit);
    take<std::uint32_t>(event, clone::uid, child.uid);
    take<std::uint32_t>(event, clone::gid, child.gid);
    update.take_real_identity(child, clone::ruid);
    take_memory(event, child);
    take_cgroups(update, child);
    child.clone_ts = event.ts();
    set_pidns_start(update, child);
}

bool is_fresh(const Thread& thread, std::uint64_t now) {
    return !thread.is_placeholder() && thread.clone_ts != 0 &&
           now - thread.clone_ts < kStaleCloneNs;
}

// The thread whose state the child starts with.
Thread* creator_of(const Update& update, const Thread& child) {
    const std::int64_t creator = update.births().take_creator(child.tid);
    if (creator != Births::kUnknown)
        return update.find(creator);
    return update.find((child.flags & Thread::is_thread) != 0 ? child.pid : child.ptid);
}

// Handles the child's own event, in which clone returns 0.
void clone_in_child(const Update& update) {
    const EventView& event = update.event;
    const std::int64_t tid = event.tid();
    if (Thread* known = update.find(tid)) {
        if (is_fresh(*known, event.ts())) {
            update.now.thread = known;
            return; // the parent's event has come first
        }
        update.remove(tid);
    }
    Thread& child = update.make(tid);
    child.awaited = true;
    child.pid = event.number<std::int64_t>(clone::pid).value_or(tid);
    child.vtid = event.number<std::int64_t>(clone::vtid).value_or(tid);
    child.vpid = event.number<std::int64_t>(clone::vpid).value_or(-1);
    child.flags = update.flags_param(clone::flags) | Thread::inverted;
    if ((child.flags & Thread::is_thread) != 0)
        child.flags |= Thread::shares_files;
    update.set_parent(child, event.number<std::int64_t>(clone::ptid).value_or(-1));
    Thread* from = creator_of(update, child);
    if ((child.flags & Thread::is_thread) != 0 && from != nullptr && from->is_placeholder()) {
        // The leader has no description yet, and its thread's event has part of it.
        from->pid = child.pid;
        from->vpid = from->vtid = child.vpid;
        update.set_parent(*from, child.ptid);
        take_program(update, *from);
    }
    fill_child(update, child, from);
    update.now.thread = &child;
}

void describe_parent(const Update& update, Thread& parent) {
    const EventView& event = update.event;
    parent.pid = event.number<std::int64_t>(clone::pid).value_or(-1);
    parent.vtid = event.number<std::int64_t>(clone::vtid).value_or(parent.tid);
    parent.vpid = event.number<std::int64_t>(clone::vpid).value_or(-1);
    update.set_parent(parent, event.number<std::int64_t>(clone::ptid).value_or(-1));
    take<std::uint32_t>(event, clone::uid, parent.uid);
    take<std::uint32_t>(event, clone::gid, parent.gid);
    update.take_real_identity(parent, clone::ruid);
    take_program(update, parent);
    take_cgroups(update, parent);
}

// Gives a CLONE_PARENT child the state of its creator, if the child's own event came first and took
// that of the parent. `child` may be null: then its own event is still to come.
void adopt_sibling(const Update& update, const Thread& creator, Thread* child, std::int64_t tid) {
    if (child == nullptr) {
        update.births().create(tid, creator.tid);
    } else if (child->awaited && child->exec_ts == 0 && child->is_leader()) {
        inherit(*child, creator);
        take_names(update.event, *child, creator);
        child->awaited = false;
    }
}

// Handles the parent's event, which has the child's id as the parent's pid namespace numbers it.
void clone_in_parent(const Update& update) {
    Thread& parent = update.make(update.event.tid());
    update.now.thread = &parent;
    if (parent.is_placeholder())
        describe_parent(update, parent);
    const std::uint32_t flags = update.flags_param(clone::flags);
    // In another pid namespace the number means another thread. The child's own event describes it.
    if ((flags & (Thread::in_pid_namespace | Thread::new_pid_namespace)) != 0 ||
        parent.in_namespace())
        return;
    const std::int64_t tid = update.result();
    if (tid == parent.tid)
        return; // only a damaged capture has this
    Thread* known = update.find(tid);
    const bool is_this_child =
        known != nullptr && (known->awaited || is_fresh(*known, update.event.ts()));
    if (!is_this_child && update.births().take_awaited(tid))
        return; // the child has ended already, as after a failed posix_spawn
    if ((flags & clone_flags::kCLONE_PARENT) != 0 && (flags & Thread::is_thread) == 0)
        // Container runtimes call it for a child in a new pid namespace, which this event does not
        // show.
        return adopt_sibling(update, parent, is_this_child ? known : nullptr, tid);
    if (is_this_child) {
        known->awaited = false;
        return;
    }
    if (known != nullptr)
        update.remove(tid);
    const bool is_thread = (flags & Thread::is_thread) != 0;
    Thread& child = update.make(tid);
    child.flags = flags | (is_thread ? Thread::shares_files : 0u);
    child.pid = is_thread ? parent.pid : tid;
    child.vtid = tid;
    child.vpid = is_thread ? parent.vpid : tid;
    update.set_parent(child, is_thread ? parent.ptid : parent.pid);
    fill_child(update, child, &parent);
}

void apply_clone(const Update& update) {
    const std::int64_t result = update.result();
    if (result == 0)
        clone_in_child(update);
    else if (result > 0)
        clone_in_parent(update);
}

// Takes the program's path. Old captures have only the path that execve was given.
void take_exepath(const Update& update, Thread& thread) {
    if (!update.event.param(exec::trusted_exepath).empty())
        thread.exepath = update.text(update.event.text(exec::trusted_exepath));
    else if (!update.event.param(exec::filename).empty())
        thread.exepath.set(join_path(thread.cwd(), update.event.text(exec::filename)));
}

void take_identity(const EventView& event, Thread& thread) {
    take<std::uint32_t>(event, exec::tty, thread.tty);
    take<std::int64_t>(event, exec::vpgid, thread.vpgid);
    take<std::int64_t>(event, exec::pgid, thread.pgid);
    take<std::uint32_t>(event, exec::loginuid, thread.loginuid);
    take<std::uint32_t>(event, exec::flags, thread.exe_flags);
    take<std::uint64_t>(event, exec::cap_inheritable, thread.cap_inheritable);
    take<std::uint64_t>(event, exec::cap_permitted, thread.cap_permitted);
    take<std::uint64_t>(event, exec::cap_effective, thread.cap_effective);
    take<std::uint32_t>(event, exec::uid, thread.uid);
    take<std::uint32_t>(event, exec::gid, thread.gid);
    take<std::uint64_t>(event, exec::exe_ino, thread.exe_ino);
    take<std::uint64_t>(event, exec::exe_ino_ctime, thread.exe_ctime);
    take<std::uint64_t>(event, exec::exe_ino_mtime, thread.exe_mtime);
    if (thread.clone_ts != 0 && thread.exe_ctime != 0)
        thread.exe_ctime_to_clone = thread.clone_ts - thread.exe_ctime;
}

// The parameters beyond the schema: the size of the arguments, of which the event may have a part,
// and who the process is.
void take_own_params(const Update& update, Thread& thread) {
    const EventView& event = update.event;
    namespace execveat = param::SYSCALL_EXECVEAT_X;
    const bool at = event.code() == SYSCALL_EXECVEAT_X;
    const std::uint32_t size =
        event.number<std::uint32_t>(at ? +execveat::args_size : +exec::args_size).value_or(0);
    thread.args_cut = size > event.param(exec::args).size();
    update.take_real_identity(thread, at ? +execveat::ruid : +exec::ruid);
}

// Ends the other threads, as exec does.
void end_siblings(const Update& update, const Thread& thread) {
    if (thread.process->threads <= 1)
        return;
    std::vector<std::int64_t> ended;
    update.tracker.for_each_thread([&](const Thread& other) {
        if (other.process == thread.process && other.tid != thread.tid)
            ended.push_back(other.tid);
    });
    for (const std::int64_t tid : ended)
        update.remove(tid);
}

// When a thread other than the first executes a program, the kernel gives it the leader's id, and
// the leader has ended before. The thread keeps its process, with the open files.
void take_leader_id(const Update& update, Thread& thread) {
    const auto pid = update.event.number<std::int64_t>(exec::pid);
    if (!thread.is_placeholder() || !pid)
        return;
    const Thread* caller = nullptr;
    update.tracker.for_each_thread([&](const Thread& other) {
        if (other.pid == *pid && other.tid != thread.tid)
            caller = &other;
    });
    if (caller == nullptr)
        return;
    const std::int64_t tid = thread.tid;
    leave_process(thread);
    thread = *caller;
    thread.tid = tid;
    thread.vtid = thread.vpid;
    ++thread.process->threads;
}

void apply_exec(const Update& update) {
    if (!update.succeeded())
        return;
    const EventView& event = update.event;
    Thread& thread = update.thread();
    take_leader_id(update, thread);
    thread.exe = update.text(event.text(exec::exe));
    thread.comm = update.text(comm_of(event));
    thread.name = Text();
    thread.args = update.text(bytes_text(event.param(exec::args)));
    take_own_params(update, thread);
    thread.exec_ts = event.ts();
    const bool was_placeholder = thread.is_placeholder();
    thread.pid = event.number<std::int64_t>(exec::pid).value_or(event.tid());
    if (was_placeholder) {
        update.set_parent(thread, event.number<std::int64_t>(exec::ptid).value_or(-1));
        thread.vtid = thread.tid;
        thread.vpid = thread.pid;
    }
    take<std::int64_t>(event, exec::fdlimit, thread.fdlimit);
    take_memory(event, thread);
    take_cgroups(update, thread);
    take_identity(event, thread);
    take_exepath(update, thread);
    thread.flags =
        (thread.flags & (Thread::inverted | Thread::in_pid_namespace)) | Thread::name_changed;

    end_siblings(update, thread);
    Process& process = *thread.process;
    if (const Bytes env = event.param(exec::env); !env.empty())
        process.env = update.text(bytes_text(env));
    if (update.tracker.options().cwd_from_exec && !event.param(exec::cwd).empty()) {
        const std::string_view cwd = event.text(exec::cwd);
        process.cwd.set(cwd.ends_with('/') ? std::string(cwd) : std::string(cwd) + '/');
    }
    if (process.fds.use_count() > 1) // an exec has its fd table to itself
        process.fds = make_fds(*process.fds);
    process.fds->close_on_exec();
}

// Gives the children of an ending process to the reaper that the event names.
void reparent(const Update& update, const Thread& dying, std::int64_t reaper) {
    update.tracker.for_each_child(dying.pid,
                                  [&](Thread& child) { update.set_parent(child, reaper); });
}

void apply_exit(const Update& update) {
    const bool known = update.now.thread != nullptr;
    update.births().end(update.event.tid(), update.event.ts(), !known || update.thread().awaited);
    if (!known)
        return;
    Thread& thread = update.thread();
    thread.dead = true;
    update.die_later();
    const std::int64_t reaper =
        update.event.number<std::int64_t>(param::PROCEXIT_1_E::reaper_tid).value_or(-1);
    if (reaper > 0 && thread.process->threads <= 1)
        reparent(update, thread, reaper);
}

constexpr Handler kHandlers[] = {
    {SYSCALL_CLONE_20_X, apply_clone, true}, {SYSCALL_FORK_20_X, apply_clone, true},
    {SYSCALL_VFORK_20_X, apply_clone, true}, {SYSCALL_CLONE3_X, apply_clone, true},
    {SYSCALL_EXECVE_19_X, apply_exec},       {SYSCALL_EXECVEAT_X, apply_exec},
    {PROCEXIT_1_E, apply_exit, true},
};

} // namespace

std::span<const Handler> process_handlers() {
    return kHandlers;
}

} // namespace tiercel::state
