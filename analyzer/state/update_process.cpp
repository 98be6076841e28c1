// SPDX-License-Identifier: Apache-2.0
//
// How processes and threads begin, become other programs and end.
#include <string>

#include "analyzer/state/container.h"
#include "analyzer/state/params.h"
#include "analyzer/state/path.h"
#include "analyzer/state/update.h"

namespace tiercel::state {
namespace {

using namespace event;

// A thread that was created longer ago than this and shows up as new again is another thread.
constexpr std::uint64_t kStaleCloneNs = 2'000'000'000;

// Parameters of clone events, all of one order.
enum CloneParam : std::uint32_t {
    CLONE_RES,
    CLONE_EXE,
    CLONE_ARGS,
    CLONE_TID,
    CLONE_PID,
    CLONE_PTID,
    CLONE_CWD,
    CLONE_FDLIMIT,
    CLONE_MAJ,
    CLONE_MIN,
    CLONE_VM_SIZE,
    CLONE_VM_RSS,
    CLONE_VM_SWAP,
    CLONE_COMM,
    CLONE_CGROUPS,
    CLONE_FLAGS,
    CLONE_UID,
    CLONE_GID,
    CLONE_VTID,
    CLONE_VPID,
    CLONE_PIDNS,
};
// Those of execve and execveat; the first ones are as in clone events.
enum ExecParam : std::uint32_t {
    EXEC_ENV = 15,
    EXEC_TTY,
    EXEC_VPGID,
    EXEC_LOGINUID,
    EXEC_FLAGS,
    EXEC_CAP_INHERITABLE,
    EXEC_CAP_PERMITTED,
    EXEC_CAP_EFFECTIVE,
    EXEC_INO,
    EXEC_CTIME,
    EXEC_MTIME,
    EXEC_UID,
    EXEC_EXEPATH,
    EXEC_PGID,
    EXEC_GID,
    EXEC_FILENAME,
};

void take_text(const EventView& event, std::uint32_t index, Text& out) {
    if (!event.param(index).empty())
        out.set(event.text(index));
}

void take_memory(const EventView& event, Thread& thread) {
    take<std::uint64_t>(event, CLONE_MAJ, thread.pgft_maj);
    take<std::uint64_t>(event, CLONE_MIN, thread.pgft_min);
    take<std::uint32_t>(event, CLONE_VM_SIZE, thread.vm_size);
    take<std::uint32_t>(event, CLONE_VM_RSS, thread.vm_rss);
    take<std::uint32_t>(event, CLONE_VM_SWAP, thread.vm_swap);
}

void take_cgroups(const Update& update, Thread& thread) {
    const std::string_view cgroups = bytes_text(update.event.param(CLONE_CGROUPS));
    if (!cgroups.empty() && thread.cgroups.view() != cgroups)
        update.set_cgroups(thread, cgroups);
}

// What a clone event says of the program, which is the same for parent and child.
void take_program(const EventView& event, Thread& thread) {
    take_text(event, CLONE_EXE, thread.exe);
    if (!event.param(CLONE_COMM).empty())
        thread.comm.set(event.text(CLONE_COMM));
    else
        thread.comm = thread.exe; // events of before 2015 have no comm
    thread.args.set(bytes_text(event.param(CLONE_ARGS)));
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
        child.pidns_start_ts += update.event.number<std::uint64_t>(CLONE_PIDNS).value_or(0);
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
    take<std::int64_t>(event, CLONE_FDLIMIT, child.fdlimit);
    take<std::uint32_t>(event, CLONE_UID, child.uid);
    take<std::uint32_t>(event, CLONE_GID, child.gid);
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
    child.pid = event.number<std::int64_t>(CLONE_PID).value_or(tid);
    child.ptid = event.number<std::int64_t>(CLONE_PTID).value_or(-1);
    child.vtid = event.number<std::int64_t>(CLONE_VTID).value_or(tid);
    child.vpid = event.number<std::int64_t>(CLONE_VPID).value_or(-1);
    child.flags = update.flags_param(CLONE_FLAGS) | Thread::inverted;
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
        parent.pid = event.number<std::int64_t>(CLONE_PID).value_or(-1);
        parent.ptid = event.number<std::int64_t>(CLONE_PTID).value_or(-1);
        parent.vtid = event.number<std::int64_t>(CLONE_VTID).value_or(parent.tid);
        parent.vpid = event.number<std::int64_t>(CLONE_VPID).value_or(-1);
        take<std::uint32_t>(event, CLONE_UID, parent.uid);
        take<std::uint32_t>(event, CLONE_GID, parent.gid);
        take_program(event, parent);
        take_cgroups(update, parent);
    }
    const std::uint32_t flags = update.flags_param(CLONE_FLAGS);
    // In another pid namespace the number means another thread: the child's own event tells.
    if ((flags & (Thread::in_pid_namespace | Thread::new_pid_namespace)) != 0 ||
        parent.in_namespace())
        return;
    const std::int64_t tid = update.result();
    if (tid == parent.tid)
        return; // nobody is its own child: the capture is damaged
    if (const Thread* known = update.find(tid)) {
        if (is_fresh(*known, event.ts()))
            return;
        update.remove(tid);
    }
    const bool is_thread = (flags & Thread::is_thread) != 0;
    Thread& child = update.make(tid);
    child.flags = flags | (is_thread ? Thread::shares_files : 0u);
    child.pid = is_thread ? parent.pid : tid;
    child.ptid = is_thread || (flags & (1u << 8)) != 0 ? parent.ptid : parent.pid;
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
    if (!update.event.param(EXEC_EXEPATH).empty())
        thread.exepath.set(update.event.text(EXEC_EXEPATH));
    else if (!update.event.param(EXEC_FILENAME).empty())
        thread.exepath.set(join_path(thread.cwd(), update.event.text(EXEC_FILENAME)));
}

void take_identity(const EventView& event, Thread& thread) {
    take<std::uint32_t>(event, EXEC_TTY, thread.tty);
    take<std::int64_t>(event, EXEC_VPGID, thread.vpgid);
    take<std::int64_t>(event, EXEC_PGID, thread.pgid);
    take<std::uint32_t>(event, EXEC_LOGINUID, thread.loginuid);
    take<std::uint32_t>(event, EXEC_FLAGS, thread.exe_flags);
    take<std::uint64_t>(event, EXEC_CAP_INHERITABLE, thread.cap_inheritable);
    take<std::uint64_t>(event, EXEC_CAP_PERMITTED, thread.cap_permitted);
    take<std::uint64_t>(event, EXEC_CAP_EFFECTIVE, thread.cap_effective);
    take<std::uint32_t>(event, EXEC_UID, thread.uid);
    take<std::uint32_t>(event, EXEC_GID, thread.gid);
    take<std::uint64_t>(event, EXEC_INO, thread.exe_ino);
    take<std::uint64_t>(event, EXEC_CTIME, thread.exe_ctime);
    take<std::uint64_t>(event, EXEC_MTIME, thread.exe_mtime);
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
    thread.exe.set(event.text(CLONE_EXE));
    thread.comm.set(event.param(CLONE_COMM).empty() ? event.text(CLONE_EXE)
                                                    : event.text(CLONE_COMM));
    thread.args.set(bytes_text(event.param(CLONE_ARGS)));
    thread.exec_ts = event.ts();
    const bool was_placeholder = thread.is_placeholder();
    thread.pid = event.number<std::int64_t>(CLONE_PID).value_or(event.tid());
    if (was_placeholder) {
        thread.ptid = event.number<std::int64_t>(CLONE_PTID).value_or(-1);
        thread.vtid = thread.tid;
        thread.vpid = thread.pid;
    }
    take<std::int64_t>(event, CLONE_FDLIMIT, thread.fdlimit);
    take_memory(event, thread);
    take_cgroups(update, thread);
    take_identity(event, thread);
    take_exepath(update, thread);
    thread.flags =
        (thread.flags & (Thread::inverted | Thread::in_pid_namespace)) | Thread::name_changed;

    end_siblings(update, thread);
    Process& process = *thread.process;
    if (const Bytes env = event.param(EXEC_ENV); !env.empty())
        process.env.set(bytes_text(env));
    if (update.tracker.options().cwd_from_exec && !event.param(CLONE_CWD).empty()) {
        const std::string_view cwd = event.text(CLONE_CWD);
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
    const std::int64_t reaper = update.event.number<std::int64_t>(4).value_or(-1);
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
