// SPDX-License-Identifier: Apache-2.0
//
// Fields of the process and of the thread itself.
#include <string>

#include "analyzer/fields/lineage.h"
#include "analyzer/fields/names.h"
#include "analyzer/fields/values.h"

namespace tiercel::filter {
namespace {

using state::Thread;

// ---- texts that lie in the state as they are ----

enum TextVariant : std::uint16_t { COMM, EXE, EXEPATH, CWD };

Values own_text(const EventContext& event, const Argument& argument, Value& single) {
    if (event.thread == nullptr)
        return no_value();
    switch (argument.variant) {
    case COMM: return text_value(single, event.thread->comm);
    case EXE: return text_value(single, event.thread->exe);
    case EXEPATH: return text_value(single, event.thread->exepath);
    default: return text_value(single, event.thread->cwd());
    }
}

// ---- texts that are put together ----

enum BuiltVariant : std::uint16_t { ARGS, CMDLINE, EXELINE };

Values built_text(const EventContext& event, const Argument& argument, Value& single) {
    if (event.thread == nullptr)
        return no_value();
    std::string& text = event.arena->scratch();
    if (argument.variant == CMDLINE) {
        append_cmdline(text, *event.thread);
        return text_value(single, event.arena->copy(text));
    }
    if (argument.variant == EXELINE) {
        text += event.thread->exe.view();
        text += ' ';
    }
    append_joined(text, event.thread->args.view());
    return text_value(single, event.arena->copy(text));
}

// All arguments, or the one of the index, counted from 0 without the program's own name.
Values args(const EventContext& event, const Argument& argument, Value& single) {
    if (argument.index < 0 || event.thread == nullptr)
        return built_text(event, argument, single);
    std::int64_t at = 0;
    bool found = false;
    state::for_each_string(event.thread->args.view(), [&](std::string_view text) {
        if (at++ == argument.index) {
            single.text = text;
            found = true;
        }
    });
    return found ? one(single) : no_value();
}

Values env(const EventContext& event, const Argument& argument, Value& single) {
    if (event.thread == nullptr)
        return no_value();
    if (!argument.key.empty())
        return text_value(single, env_value(*event.thread, argument.key));
    std::string& text = event.arena->scratch();
    append_joined(text, event.thread->process->env.view());
    return text_value(single, event.arena->copy(text));
}

// ---- numbers ----

enum IdVariant : std::uint16_t { PID, PPID, VPID, SID, PGID, VPGID, TID, VTID, FDLIMIT };

Values id(const EventContext& event, const Argument& argument, Value& single) {
    if (argument.variant == TID)
        return number_value(single, event.event->tid());
    const Thread* thread = event.thread;
    if (thread == nullptr)
        return no_value();
    const auto known = [&](std::int64_t number) {
        return number >= 0 ? number_value(single, number) : no_value();
    };
    switch (argument.variant) {
    case PID: return number_value(single, thread->pid);
    case VPID: return known(thread->vpid);
    case VTID: return known(thread->vtid);
    case SID: return number_value(single, thread->sid);
    case PGID: return number_value(single, thread->pgid);
    case VPGID: return number_value(single, thread->vpgid);
    case FDLIMIT: return number_value(single, thread->fdlimit);
    default: break;
    }
    const Thread* leader = event.state->leader(*thread);
    return leader != nullptr && leader->ptid > 0 ? number_value(single, leader->ptid) : no_value();
}

enum SizeVariant : std::uint16_t {
    VM_SIZE,
    VM_RSS,
    VM_SWAP,
    MAJOR,
    MINOR,
    TTY,
    NARGS,
    ARGS_LENGTH,
    FD_COUNT,
    THREADS,
    OTHER_THREADS,
    THREAD_VM_SIZE,
    THREAD_VM_RSS,
    THREAD_VM_SIZE_B,
    THREAD_VM_RSS_B,
};

std::uint64_t thread_memory(const Thread& thread, std::uint16_t variant) {
    if (!thread.is_leader())
        return 0;
    const bool rss = variant == THREAD_VM_RSS || variant == THREAD_VM_RSS_B;
    const std::uint64_t kb = rss ? thread.vm_rss : thread.vm_size;
    return variant == THREAD_VM_SIZE_B || variant == THREAD_VM_RSS_B ? kb * 1024 : kb;
}

Values size(const EventContext& event, const Argument& argument, Value& single) {
    const Thread* thread = event.thread;
    if (thread == nullptr)
        return no_value();
    std::uint64_t count = 0, length = 0;
    switch (argument.variant) {
    case VM_SIZE: return unsigned_value(single, thread->vm_size);
    case VM_RSS: return unsigned_value(single, thread->vm_rss);
    case VM_SWAP: return unsigned_value(single, thread->vm_swap);
    case MAJOR: return unsigned_value(single, thread->pgft_maj);
    case MINOR: return unsigned_value(single, thread->pgft_min);
    case TTY: return unsigned_value(single, thread->tty);
    case FD_COUNT: return unsigned_value(single, thread->process->fds->size());
    case THREADS: return unsigned_value(single, thread->process->threads);
    case OTHER_THREADS:
        return unsigned_value(single, thread->process->threads -
                                          (event.state->leader(*thread) != nullptr ? 1 : 0));
    case NARGS:
    case ARGS_LENGTH:
        state::for_each_string(thread->args.view(), [&](std::string_view text) {
            ++count;
            length += text.size();
        });
        return unsigned_value(single, argument.variant == NARGS ? count : length);
    default: return unsigned_value(single, thread_memory(*thread, argument.variant));
    }
}

Values fd_usage(const EventContext& event, const Argument&, Value& single) {
    if (event.thread == nullptr || event.thread->fdlimit <= 0)
        return no_value();
    single.real = 100.0 * static_cast<double>(event.thread->process->fds->size()) /
                  static_cast<double>(event.thread->fdlimit);
    return one(single);
}

enum TimeVariant : std::uint16_t {
    DURATION,
    START,
    CTIME,
    MTIME,
    CTIME_TO_CLONE,
    PIDNS_TO_CTIME,
    PIDNS_START,
    EXE_INO,
};

Values moment(const EventContext& event, const Argument& argument, Value& single) {
    const Thread* thread = event.thread;
    if (thread == nullptr)
        return no_value();
    const auto known = [&](std::uint64_t number) {
        return number != 0 ? unsigned_value(single, number) : no_value();
    };
    switch (argument.variant) {
    case DURATION:
        return thread->clone_ts != 0 ? unsigned_value(single, event.event->ts() - thread->clone_ts)
                                     : no_value();
    case START: return known(thread->clone_ts);
    case CTIME: return known(thread->exe_ctime);
    case MTIME: return known(thread->exe_mtime);
    case CTIME_TO_CLONE: return known(thread->exe_ctime_to_clone);
    case PIDNS_TO_CTIME:
        return thread->pidns_start_ts != 0 && thread->exe_ctime > thread->pidns_start_ts
                   ? unsigned_value(single, thread->exe_ctime - thread->pidns_start_ts)
                   : no_value();
    case PIDNS_START: return known(thread->pidns_start_ts);
    default: return known(thread->exe_ino);
    }
}

// ---- yes or no ----

// `variant`: the flag of the executable.
Values exe_flag(const EventContext& event, const Argument& argument, Value& single) {
    if (event.thread == nullptr)
        return no_value();
    return bool_value(single, (event.thread->exe_flags & argument.variant) != 0);
}

enum LeaderVariant : std::uint16_t { OF_SESSION, OF_GROUP, OF_VIRTUAL_GROUP, OF_THREADS };

Values is_leader(const EventContext& event, const Argument& argument, Value& single) {
    const Thread* thread = event.thread;
    if (thread == nullptr)
        return no_value();
    switch (argument.variant) {
    case OF_SESSION: return bool_value(single, thread->sid == thread->vpid);
    case OF_GROUP: return bool_value(single, thread->pgid == thread->pid);
    case OF_VIRTUAL_GROUP: return bool_value(single, thread->vpgid == thread->vpid);
    default: return bool_value(single, thread->is_leader());
    }
}

// Health checks are known from the container runtime only.
Values is_probe(const EventContext& event, const Argument&, Value& single) {
    return event.thread != nullptr ? bool_value(single, false) : no_value();
}

enum CapVariant : std::uint16_t { PERMITTED, INHERITABLE, EFFECTIVE };

Values capabilities(const EventContext& event, const Argument& argument, Value& single) {
    const Thread* thread = event.thread;
    if (thread == nullptr)
        return no_value();
    std::string& text = event.arena->scratch();
    append_capabilities(text, argument.variant == PERMITTED     ? thread->cap_permitted
                              : argument.variant == INHERITABLE ? thread->cap_inheritable
                                                                : thread->cap_effective);
    return text_value(single, event.arena->copy(text));
}

// `variant`: the fd, and 4 more for its name instead of its type.
Values standard_fd(const EventContext& event, const Argument& argument, Value& single) {
    if (event.thread == nullptr)
        return no_value();
    const state::Fd* fd = event.thread->fd(argument.variant & 3);
    if (fd == nullptr)
        return no_value();
    return text_value(single, (argument.variant & 4) != 0 ? fd->name.view()
                                                          : state::fd_kind_name(fd->kind));
}

Values name_and_tid(const EventContext& event, const Argument&, Value& single) {
    if (event.thread == nullptr)
        return no_value();
    std::string& text = event.arena->scratch();
    text += event.thread->comm.view();
    text += std::to_string(event.event->tid());
    return text_value(single, event.arena->copy(text));
}

Values cgroups(const EventContext& event, const Argument&, Value& single) {
    if (event.thread == nullptr || event.thread->cgroups.empty())
        return no_value();
    std::string& text = event.arena->scratch();
    append_joined(text, event.thread->cgroups.view());
    return text_value(single, event.arena->copy(text));
}

Values cgroup(const EventContext& event, const Argument& argument, Value& single) {
    if (event.thread == nullptr)
        return no_value();
    std::string_view found;
    bool is_found = false;
    state::for_each_string(event.thread->cgroups.view(), [&](std::string_view text) {
        const std::size_t equals = text.find('=');
        if (equals != std::string_view::npos && text.substr(0, equals) == argument.key) {
            found = text.substr(equals + 1);
            is_found = true;
        }
    });
    return is_found ? text_value(single, found) : no_value();
}

// CPU times are told by procinfo events of old captures only, as sums since the process began; what
// was used since the one before is not kept.
Values never(const EventContext&, const Argument&, Value&) {
    return no_value();
}

constexpr ValueType T = ValueType::text;
constexpr ValueType U = ValueType::unsigned_number;
constexpr ValueType S = ValueType::signed_number;
constexpr ValueType B = ValueType::boolean;
constexpr ValueType R = ValueType::real;
constexpr auto kNone = FieldArgument::none;
constexpr auto kSingle = Plurality::single;

constexpr FieldInfo kProcess[] = {
    {"proc.name", "CHARBUF", T, "Name of the thread that caused the event (at most 15 characters).",
     own_text, COMM, kNone, kSingle, 1},
    {"proc.exe", "CHARBUF", T,
     "First argument of the command line, which is mostly the program's name.", own_text, EXE,
     kNone, kSingle, 1},
    {"proc.exepath", "CHARBUF", T, "Whole path of the program.", own_text, EXEPATH, kNone, kSingle,
     1},
    {"proc.cwd", "CHARBUF", T, "Working directory, ending in '/'.", own_text, CWD, kNone, kSingle,
     1},
    {"proc.args", "CHARBUF", T,
     "Arguments of the command line, without the program's name; or one of them: proc.args[0].",
     args, ARGS, FieldArgument::optional_index, kSingle, 10},
    {"proc.cmdline", "CHARBUF", T, "proc.name and proc.args.", built_text, CMDLINE, kNone, kSingle,
     10},
    {"proc.exeline", "CHARBUF", T, "proc.exe and proc.args.", built_text, EXELINE, kNone, kSingle,
     10},
    {"proc.cmdnargs", "UINT64", U, "Number of arguments in proc.args.", size, NARGS},
    {"proc.cmdlenargs", "UINT64", U,
     "Characters in proc.args, spaces between arguments not counted.", size, ARGS_LENGTH},
    {"proc.env", "CHARBUF", T,
     "The environment as NAME=value, or the value of one variable: proc.env[HOME].", env, 0,
     FieldArgument::optional_key, kSingle, 12},
    {"proc.pid", "INT64", S, "Process id.", id, PID, kNone, kSingle, 1},
    {"proc.ppid", "INT64", S, "Process id of the parent.", id, PPID, kNone, kSingle, 2},
    {"proc.vpid", "INT64", S, "Process id as its own pid namespace numbers it.", id, VPID, kNone,
     kSingle, 1},
    {"proc.sid", "INT64", S, "Session id.", id, SID, kNone, kSingle, 1},
    {"proc.pgid", "INT64", S, "Process group id.", id, PGID, kNone, kSingle, 1},
    {"proc.vpgid", "INT64", S, "Process group id as its own pid namespace numbers it.", id, VPGID,
     kNone, kSingle, 1},
    {"proc.tty", "UINT32", U, "Device number of the controlling terminal; 0: none.", size, TTY,
     kNone, kSingle, 1},
    {"proc.duration", "RELTIME", U, "Time since the process began, in ns.", moment, DURATION, kNone,
     kSingle, 1},
    {"proc.pid.ts", "RELTIME", U, "When the process began, ns since the epoch.", moment, START,
     kNone, kSingle, 1},
    {"proc.is_exe_writable", "BOOL", B, "Whether the program's file may be written by who runs it.",
     exe_flag, Thread::exe_writable, kNone, kSingle, 1},
    {"proc.is_exe_upper_layer", "BOOL", B,
     "Whether the program's file lies in the upper layer of an overlay.", exe_flag,
     Thread::exe_upper_layer, kNone, kSingle, 1},
    {"proc.is_exe_lower_layer", "BOOL", B,
     "Whether the program's file lies in the lower layer of an overlay.", exe_flag,
     Thread::exe_lower_layer, kNone, kSingle, 1},
    {"proc.is_exe_from_memfd", "BOOL", B, "Whether the program lay in memory only (memfd_create).",
     exe_flag, Thread::exe_from_memfd, kNone, kSingle, 1},
    {"proc.is_sid_leader", "BOOL", B, "Whether the process leads its session.", is_leader,
     OF_SESSION, kNone, kSingle, 1},
    {"proc.is_pgid_leader", "BOOL", B, "Whether the process leads its process group.", is_leader,
     OF_GROUP, kNone, kSingle, 1},
    {"proc.is_vpgid_leader", "BOOL", B,
     "Whether the process leads its process group, by the numbers of its pid namespace.", is_leader,
     OF_VIRTUAL_GROUP, kNone, kSingle, 1},
    {"proc.is_container_healthcheck", "BOOL", B, "Always false: the runtime is not asked.",
     is_probe},
    {"proc.is_container_liveness_probe", "BOOL", B, "Always false: the runtime is not asked.",
     is_probe},
    {"proc.is_container_readiness_probe", "BOOL", B, "Always false: the runtime is not asked.",
     is_probe},
    {"proc.exe_ino", "INT64", S, "Inode of the program's file.", moment, EXE_INO, kNone, kSingle,
     1},
    {"proc.exe_ino.ctime", "ABSTIME", U,
     "When the program's inode last changed, ns since the epoch.", moment, CTIME, kNone, kSingle,
     1},
    {"proc.exe_ino.mtime", "ABSTIME", U,
     "When the program's file was last written, ns since the epoch.", moment, MTIME, kNone, kSingle,
     1},
    {"proc.exe_ino.ctime_duration_proc_start", "ABSTIME", U,
     "From the last change of the program's inode to the start of the process, in ns.", moment,
     CTIME_TO_CLONE, kNone, kSingle, 1},
    {"proc.exe_ino.ctime_duration_pidns_start", "ABSTIME", U,
     "From the start of the pid namespace to the last change of the program's inode, in ns.",
     moment, PIDNS_TO_CTIME, kNone, kSingle, 1},
    {"proc.pidns_init_start_ts", "UINT64", U, "When the pid namespace began, ns since the epoch.",
     moment, PIDNS_START, kNone, kSingle, 1},
    {"proc.fdopencount", "UINT64", U, "Number of open fds.", size, FD_COUNT, kNone, kSingle, 1},
    {"proc.fdlimit", "INT64", S, "How many fds the process may have open.", id, FDLIMIT, kNone,
     kSingle, 1},
    {"proc.fdusage", "DOUBLE", R, "Open fds in percent of the limit.", fd_usage},
    {"proc.vmsize", "UINT64", U, "Virtual memory, in KiB.", size, VM_SIZE, kNone, kSingle, 1},
    {"proc.vmrss", "UINT64", U, "Resident memory, in KiB.", size, VM_RSS, kNone, kSingle, 1},
    {"proc.vmswap", "UINT64", U, "Swapped memory, in KiB.", size, VM_SWAP, kNone, kSingle, 1},
    {"proc.nthreads", "UINT64", U, "Threads of the process that live.", size, THREADS},
    {"proc.nchilds", "UINT64", U, "Threads of the process that live, without its leader.", size,
     OTHER_THREADS},
    {"proc.stdin.type", "CHARBUF", T, "Type of fd 0.", standard_fd, 0},
    {"proc.stdout.type", "CHARBUF", T, "Type of fd 1.", standard_fd, 1},
    {"proc.stderr.type", "CHARBUF", T, "Type of fd 2.", standard_fd, 2},
    {"proc.stdin.name", "CHARBUF", T, "Name of fd 0.", standard_fd, 4},
    {"proc.stdout.name", "CHARBUF", T, "Name of fd 1.", standard_fd, 5},
    {"proc.stderr.name", "CHARBUF", T, "Name of fd 2.", standard_fd, 6},
};

constexpr FieldInfo kThread[] = {
    {"thread.tid", "INT64", S, "Thread id.", id, TID, kNone, kSingle, 1},
    {"thread.vtid", "INT64", S, "Thread id as its own pid namespace numbers it.", id, VTID, kNone,
     kSingle, 1},
    {"thread.ismain", "BOOL", B, "Whether the thread is the first of its process.", is_leader,
     OF_THREADS, kNone, kSingle, 1},
    {"thread.nametid", "CHARBUF", T, "Name and id of the thread, joined.", name_and_tid},
    {"thread.cap_permitted", "CHARBUF", T, "Permitted capabilities.", capabilities, PERMITTED,
     kNone, kSingle, 10},
    {"thread.cap_inheritable", "CHARBUF", T, "Inheritable capabilities.", capabilities, INHERITABLE,
     kNone, kSingle, 10},
    {"thread.cap_effective", "CHARBUF", T, "Effective capabilities.", capabilities, EFFECTIVE,
     kNone, kSingle, 10},
    {"thread.pfmajor", "UINT64", U, "Page faults that read from disk, since the thread began.",
     size, MAJOR, kNone, kSingle, 1},
    {"thread.pfminor", "UINT64", U, "Page faults that did not, since the thread began.", size,
     MINOR, kNone, kSingle, 1},
    {"thread.cgroups", "CHARBUF", T, "All cgroups, as subsystem=path.", cgroups, 0, kNone, kSingle,
     10},
    {"thread.cgroup", "CHARBUF", T, "The cgroup of one subsystem: thread.cgroup.cpuset.", cgroup, 0,
     FieldArgument::name},
    {"thread.vmsize", "UINT64", U, "Virtual memory in KiB for the first thread; 0 for others.",
     size, THREAD_VM_SIZE},
    {"thread.vmrss", "UINT64", U, "Resident memory in KiB for the first thread; 0 for others.",
     size, THREAD_VM_RSS},
    {"thread.vmsize.b", "UINT64", U, "Virtual memory in bytes for the first thread; 0 for others.",
     size, THREAD_VM_SIZE_B},
    {"thread.vmrss.b", "UINT64", U, "Resident memory in bytes for the first thread; 0 for others.",
     size, THREAD_VM_RSS_B},
    {"thread.exectime", "RELTIME", U, "Always without a value: CPU time is not measured.", never},
    {"thread.totexectime", "RELTIME", U, "Always without a value: CPU time is not measured.",
     never},
    {"thread.cpu", "DOUBLE", R, "Always without a value: CPU time is not measured.", never},
    {"thread.cpu.user", "DOUBLE", R, "Always without a value: CPU time is not measured.", never},
    {"thread.cpu.system", "DOUBLE", R, "Always without a value: CPU time is not measured.", never},
};

} // namespace

std::span<const FieldInfo> process_fields() {
    return kProcess;
}
std::span<const FieldInfo> thread_fields() {
    return kThread;
}

} // namespace tiercel::filter
