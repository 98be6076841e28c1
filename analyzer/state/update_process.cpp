// SPDX-License-Identifier: Apache-2.0
//
// How processes and threads begin, become other programs and end.
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
static_assert(+exec::gid == +param::SYSCALL_EXECVEAT_X::gid);
// exec events begin as clone events do.
static_assert(+clone::exe == +exec::exe && +clone::comm == +exec::comm &&
              +clone::cgroups == +exec::cgroups);

void take_text(const EventView& event, std::uint32_t index, Text& out) {
    if (!event.param(index).empty())
        out.set(event.text(index));
}

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

// What a clone event says of the program, which is the same for parent and child.
void take_program(const EventView& event, Thread& thread) {
    take_text(event, clone::exe, thread.exe);
    if (!event.param(clone::comm).empty())
        thread.comm.set(event.text(clone::comm));
    else
        thread.comm = thread.exe; // events of before 2015 have no comm
    thread.args.set(bytes_text(event.param(clone::args)));
}

void leave_process(Thread& thread) {
    --thread.process->threads;
    thread.process.reset();
}

// What the child has from the one that it was made by: a thread shares its process, a process
// starts with a copy.
void inherit(Thread& child, const Thread& from) {
    child.exepath = from.exepath;
    child.exe_flags = from.exe_flags;
    child.root = from.root;
    child.sid = from.sid;
    child.pgid = from.pgid;
    child.vpgid = from.vpgid;
    child.tty = from.tty;
    child.loginuid = from.loginuid;
    child.cap_inheritable = from.cap_inheritable;
    child.cap_permitted = from.cap_permitted;
    child.cap_effective = from.cap_effective;
    child.exe_ino = from.exe_ino;
    child.exe_ctime = from.exe_ctime;
    child.exe_mtime = from.exe_mtime;
    child.exe_ctime_to_clone = from.exe_ctime_to_clone;
    leave_process(child);
    if ((child.flags & Thread::is_thread) != 0) {
        child.process = from.process;
        child.exec_ts = from.exec_ts;
        ++child.process->threads;
        return;
    }
    child.process = std::make_shared<Process>(*from.process);
    child.process->threads = 1;
    child.process->subreaper = false;
    if ((child.flags & Thread::shares_files) == 0)
        child.process->fds = std::make_shared<FdTable>(*from.process->fds);
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
    take_program(event, child);
    if (from != nullptr && !from->is_placeholder()) {
        inherit(child, *from);
        if (child.exe.empty())
            child.exe = from->exe;
    }
    take<std::int64_t>(event, clone::fdlimit, child.fdlimit);
    take<std::uint32_t>(event, clone::uid, child.uid);
    take<std::uint32_t>(event, clone::gid, child.gid);
    take_memory(event, child);
    take_cgroups(update, child);
    child.clone_ts = event.ts();
    set_pidns_start(update, child);
}

bool is_fresh(const Thread& thread, std::uint64_t now) {
    return !thread.is_placeholder() && thread.clone_ts != 0 &&
           now - thread.clone_ts < kStaleCloneNs;
}

// The child's own event: clone returned 0 there.
void clone_in_child(const Update& update) {
    const EventView& event = update.event;
    const std::int64_t tid = event.tid();
    if (Thread* known = update.find(tid)) {
        if (is_fresh(*known, event.ts())) {
            update.now.thread = known;
            return; // the parent's event came first and told it all
        }
        update.remove(tid);
    }
    Thread& child = update.make(tid);
    child.pid = event.number<std::int64_t>(clone::pid).value_or(tid);
    child.ptid = event.number<std::int64_t>(clone::ptid).value_or(-1);
    child.vtid = event.number<std::int64_t>(clone::vtid).value_or(tid);
    child.vpid = event.number<std::int64_t>(clone::vpid).value_or(-1);
    child.flags = update.flags_param(clone::flags) | Thread::inverted;
    if ((child.flags & Thread::is_thread) != 0)
        child.flags |= Thread::shares_files;
    const bool is_thread = (child.flags & Thread::is_thread) != 0;
    Thread* from = update.find(is_thread ? child.pid : child.ptid);
    if (is_thread && from != nullptr && from->is_placeholder()) {
        // The leader was met without its story: its thread tells part of it.
        from->pid = child.pid;
        from->ptid = child.ptid;
        from->vpid = from->vtid = child.vpid;
        take_program(event, *from);
    }
    fill_child(update, child, from);
    update.now.thread = &child;
}

// The parent's event: the child's id, as the parent's namespace numbers it.
void clone_in_parent(const Update& update) {
    const EventView& event = update.event;
    Thread& parent = update.make(event.tid());
    update.now.thread = &parent;
    if (parent.is_placeholder()) {
        parent.pid = event.number<std::int64_t>(clone::pid).value_or(-1);
        parent.ptid = event.number<std::int64_t>(clone::ptid).value_or(-1);
        parent.vtid = event.number<std::int64_t>(clone::vtid).value_or(parent.tid);
        parent.vpid = event.number<std::int64_t>(clone::vpid).value_or(-1);
        take<std::uint32_t>(event, clone::uid, parent.uid);
        take<std::uint32_t>(event, clone::gid, parent.gid);
        take_program(event, parent);
        take_cgroups(update, parent);
    }
    const std::uint32_t flags = update.flags_param(clone::flags);
    // In another pid namespace the number means another thread: the child's own event tells.
    if ((flags & (Thread::in_pid_namespace | Thread::new_pid_namespace)) != 0 ||
        parent.in_namespace())
        return;
    const std::int64_t tid = update.result();
    if (tid == parent.tid)
        return; // no process is its own child, so the capture is damaged
    if (const Thread* known = update.find(tid)) {
        if (is_fresh(*known, event.ts()))
            return;
        update.remove(tid);
    }
    const bool is_thread = (flags & Thread::is_thread) != 0;
    Thread& child = update.make(tid);
    child.flags = flags | (is_thread ? Thread::shares_files : 0u);
    child.pid = is_thread ? parent.pid : tid;
    child.ptid = is_thread || (flags & clone_flags::kCLONE_PARENT) != 0 ? parent.ptid : parent.pid;
    child.vtid = tid;
    child.vpid = is_thread ? parent.vpid : tid;
    fill_child(update, child, &parent);
}

void apply_clone(const Update& update) {
    const std::int64_t result = update.result();
    if (result == 0)
        clone_in_child(update);
    else if (result > 0)
        clone_in_parent(update);
}

// Old captures have no trusted path, but mostly what execve was given.
void take_exepath(const Update& update, Thread& thread) {
    if (!update.event.param(exec::trusted_exepath).empty())
        thread.exepath.set(update.event.text(exec::trusted_exepath));
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

// The other threads end when one of them executes a program.
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

void apply_exec(const Update& update) {
    if (!update.succeeded())
        return;
    const EventView& event = update.event;
    Thread& thread = update.thread();
    thread.exe.set(event.text(exec::exe));
    thread.comm.set(event.param(exec::comm).empty() ? event.text(exec::exe)
                                                    : event.text(exec::comm));
    thread.args.set(bytes_text(event.param(exec::args)));
    thread.exec_ts = event.ts();
    const bool was_placeholder = thread.is_placeholder();
    thread.pid = event.number<std::int64_t>(exec::pid).value_or(event.tid());
    if (was_placeholder) {
        thread.ptid = event.number<std::int64_t>(exec::ptid).value_or(-1);
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
        process.env.set(bytes_text(env));
    if (update.tracker.options().cwd_from_exec && !event.param(exec::cwd).empty()) {
        const std::string_view cwd = event.text(exec::cwd);
        process.cwd.set(cwd.ends_with('/') ? std::string(cwd) : std::string(cwd) + '/');
    }
    if (process.fds.use_count() > 1) // an exec has its fd table to itself
        process.fds = std::make_shared<FdTable>(*process.fds);
    process.fds->close_on_exec();
}

// Children of the process that ends go to the reaper that the kernel names.
void reparent(const Update& update, const Thread& dying, std::int64_t reaper) {
    const Thread* to = update.find(reaper);
    const std::int64_t new_parent = to != nullptr && !to->is_placeholder() ? to->pid : reaper;
    update.tracker.for_each_child(dying.pid, [&](Thread& child) { child.ptid = new_parent; });
}

void apply_exit(const Update& update) {
    if (update.now.thread == nullptr)
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
