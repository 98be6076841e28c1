// SPDX-License-Identifier: Apache-2.0
//
// Fields of the process: names, arguments, ids, memory. executable.cpp has those of its program.
#include <cstring>
#include <string>

#include "analyzer/fields/lineage.h"
#include "analyzer/fields/values.h"

namespace tiercel::filter {
namespace {

using state::Namespace;
using state::Thread;

std::optional<std::int64_t> vpid(const Thread& thread) {
    return thread.vpid >= 0 ? std::optional(thread.vpid) : std::nullopt;
}

std::optional<std::int64_t> parent_id(const EventContext& event, const Thread& thread) {
    const Thread* leader = event.state->leader(thread);
    return leader != nullptr && leader->ptid > 0 ? std::optional(leader->ptid) : std::nullopt;
}

void append_args(std::string& out, const Thread& thread) {
    append_joined(out, thread.args.view());
}

void append_exeline(std::string& out, const Thread& thread) {
    out += thread.exe.view();
    out += ' ';
    append_args(out, thread);
}

// All arguments as one text, one argument by its index, or each as a value of its own.
Values args(const EventContext& event, const Argument& argument, Value& single) {
    if (event.thread == nullptr)
        return no_value();
    const std::string_view all = event.thread->args.view();
    if (argument.each) {
        std::size_t count = 0, at = 0;
        state::for_each_string(all, [&](std::string_view) { ++count; });
        const std::span<Value> values = event.arena->array<Value>(count);
        state::for_each_string(all, [&](std::string_view text) { values[at++].text = text; });
        return {true, values.data(), static_cast<std::uint32_t>(count)};
    }
    if (argument.index < 0)
        return get<append_args>(event, *event.thread, single);
    std::int64_t at = 0;
    bool found = false;
    state::for_each_string(all, [&](std::string_view text) {
        if (at++ == argument.index) {
            single.text = text;
            found = true;
        }
    });
    return found ? one(single) : no_value();
}

std::uint64_t count_args(const Thread& thread) {
    std::uint64_t count = 0;
    state::for_each_string(thread.args.view(), [&](std::string_view) { ++count; });
    return count;
}

std::uint64_t count_arg_characters(const Thread& thread) {
    std::uint64_t length = 0;
    state::for_each_string(thread.args.view(),
                           [&](std::string_view text) { length += text.size(); });
    return length;
}

void append_env(std::string& out, const Thread& thread) {
    append_joined(out, thread.process->env.view());
}

Values env(const EventContext& event, const Argument& argument, Value& single) {
    if (event.thread == nullptr)
        return no_value();
    return argument.key.empty() ? get<append_env>(event, *event.thread, single)
                                : text_value(single, env_value(*event.thread, argument.key));
}

std::uint64_t other_threads(const EventContext& event, const Thread& thread) {
    return thread.process->threads - (event.state->leader(thread) != nullptr ? 1 : 0);
}

std::uint64_t count_fds(const Thread& thread) {
    return thread.process->fds->size();
}

std::optional<double> fd_usage(const Thread& thread) {
    if (thread.fdlimit <= 0)
        return std::nullopt;
    return 100.0 * static_cast<double>(count_fds(thread)) / static_cast<double>(thread.fdlimit);
}

template <std::int64_t number>
std::optional<std::string_view> fd_type(const Thread& thread) {
    const state::Fd* fd = thread.fd(number);
    return fd != nullptr ? std::optional(state::fd_kind_name(fd->kind)) : std::nullopt;
}

template <std::int64_t number>
std::optional<std::string_view> fd_name(const Thread& thread) {
    const state::Fd* fd = thread.fd(number);
    return fd != nullptr ? std::optional(fd->name.view()) : std::nullopt;
}

template <state::Namespace which>
std::optional<std::uint32_t> namespace_number(const Thread& thread) {
    std::uint32_t number = 0;
    const std::string_view numbers = thread.namespaces.view();
    if (numbers.size() == state::kNamespaceBytes)
        std::memcpy(&number, &numbers[static_cast<std::size_t>(which) * sizeof number],
                    sizeof number);
    return number != 0 ? std::optional(number) : std::nullopt;
}

constexpr FieldInfo kFields[] = {
    {"proc.name", kText, "Name that exec gave the process (at most 15 characters).",
     of_thread<&Thread::comm>, cost(1)},
    {"proc.cwd", kText, "Working directory, ending in '/'.", of_thread<&Thread::cwd>, cost(1)},
    {"proc.args", kText,
     "Arguments of the command line, without the program's name; or one of them: proc.args[0].",
     args, kIndex, FieldElements::separable, cost(10)},
    {"proc.args.truncated", kBool,
     "Whether the command line is longer than events carry; proc.args then has its first and its "
     "last part.",
     of_thread<&Thread::args_cut>, cost(1)},
    {"proc.cmdline", kText, "proc.name and proc.args.", of_thread<append_cmdline>, cost(10)},
    {"proc.exeline", kText, "proc.exe and proc.args.", of_thread<append_exeline>, cost(10)},
    {"proc.cmdnargs", kUint64, "Number of arguments in proc.args.", of_thread<count_args>},
    {"proc.cmdlenargs", kUint64, "Characters in proc.args, spaces between arguments not counted.",
     of_thread<count_arg_characters>},
    {"proc.env", kText,
     "The environment as NAME=value, or the value of one variable: proc.env[HOME].", env, kKey,
     cost(12)},
    {"proc.pid", kInt64, "Process id.", of_thread<&Thread::pid>, cost(1)},
    {"proc.ppid", kInt64, "Process id of the parent.", of_thread<parent_id>, cost(2)},
    {"proc.vpid", kInt64, "Process id in its own pid namespace.", of_thread<vpid>, cost(1)},
    {"proc.sid", kInt64, "Session id.", of_thread<&Thread::sid>, cost(1)},
    {"proc.pgid", kInt64, "Process group id.", of_thread<&Thread::pgid>, cost(1)},
    {"proc.vpgid", kInt64, "Process group id in its own pid namespace.", of_thread<&Thread::vpgid>,
     cost(1)},
    {"proc.tty", kUint32, "Device number of the controlling terminal; 0: none.",
     of_thread<&Thread::tty>, cost(1)},
    {"proc.duration", kRelTime, "Time since the process began, in ns.", of_thread<age>, cost(1)},
    {"proc.pid.ts", kRelTime, "Time when the process began, ns since the epoch.",
     of_thread<[](const Thread& thread) { return known(thread.clone_ts); }>, cost(1)},
    {"proc.is_sid_leader", kBool, "Whether the process leads its session.",
     of_thread<[](const Thread& thread) { return thread.sid == thread.vpid; }>, cost(1)},
    {"proc.is_pgid_leader", kBool, "Whether the process leads its process group.",
     of_thread<[](const Thread& thread) { return thread.pgid == thread.pid; }>, cost(1)},
    {"proc.is_vpgid_leader", kBool,
     "Whether the process leads its process group, by the numbers of its pid namespace.",
     of_thread<[](const Thread& thread) { return thread.vpgid == thread.vpid; }>, cost(1)},
    {"proc.is_container_healthcheck", kBool,
     "Always false, because container runtimes do not tell which process is a health check.",
     of_thread<[](const Thread&) { return false; }>},
    {"proc.is_container_liveness_probe", kBool,
     "Always false, because container runtimes do not tell which process is a probe.",
     of_thread<[](const Thread&) { return false; }>},
    {"proc.is_container_readiness_probe", kBool,
     "Always false, because container runtimes do not tell which process is a probe.",
     of_thread<[](const Thread&) { return false; }>},
    {"proc.pidns_init_start_ts", kUint64, "Time when the pid namespace began, ns since the epoch.",
     of_thread<[](const Thread& thread) { return known(thread.pidns_start_ts); }>, cost(1)},
    {"proc.cgroupns", kUint32, "Number of the cgroup namespace, as /proc/PID/ns/cgroup has it.",
     of_thread<namespace_number<Namespace::cgroup>>, cost(1)},
    {"proc.ipcns", kUint32, "Number of the IPC namespace, as /proc/PID/ns/ipc has it.",
     of_thread<namespace_number<Namespace::ipc>>, cost(1)},
    {"proc.mntns", kUint32, "Number of the mount namespace, as /proc/PID/ns/mnt has it.",
     of_thread<namespace_number<Namespace::mnt>>, cost(1)},
    {"proc.netns", kUint32, "Number of the network namespace, as /proc/PID/ns/net has it.",
     of_thread<namespace_number<Namespace::net>>, cost(1)},
    {"proc.pidns", kUint32, "Number of the pid namespace, as /proc/PID/ns/pid has it.",
     of_thread<namespace_number<Namespace::pid>>, cost(1)},
    {"proc.timens", kUint32, "Number of the time namespace, as /proc/PID/ns/time has it.",
     of_thread<namespace_number<Namespace::time>>, cost(1)},
    {"proc.userns", kUint32, "Number of the user namespace, as /proc/PID/ns/user has it.",
     of_thread<namespace_number<Namespace::user>>, cost(1)},
    {"proc.utsns", kUint32, "Number of the UTS namespace, as /proc/PID/ns/uts has it.",
     of_thread<namespace_number<Namespace::uts>>, cost(1)},
    {"proc.fdopencount", kUint64, "Number of open fds.", of_thread<count_fds>, cost(1)},
    {"proc.fdlimit", kInt64, "The most fds that the process may have open.",
     of_thread<&Thread::fdlimit>, cost(1)},
    {"proc.fdusage", kDouble, "Open fds in percent of the limit.", of_thread<fd_usage>},
    {"proc.vmsize", kUint64, "Virtual memory, in KiB.", of_thread<&Thread::vm_size>, cost(1)},
    {"proc.vmrss", kUint64, "Resident memory, in KiB.", of_thread<&Thread::vm_rss>, cost(1)},
    {"proc.vmswap", kUint64, "Swapped memory, in KiB.", of_thread<&Thread::vm_swap>, cost(1)},
    {"proc.nthreads", kUint64, "Number of the process's threads.",
     of_thread<[](const Thread& thread) { return thread.process->threads; }>},
    {"proc.nchilds", kUint64, "Number of the process's threads without the first.",
     of_thread<other_threads>},
    {"proc.stdin.type", kText, "Type of fd 0.", of_thread<fd_type<0>>},
    {"proc.stdout.type", kText, "Type of fd 1.", of_thread<fd_type<1>>},
    {"proc.stderr.type", kText, "Type of fd 2.", of_thread<fd_type<2>>},
    {"proc.stdin.name", kText, "Name of fd 0.", of_thread<fd_name<0>>},
    {"proc.stdout.name", kText, "Name of fd 1.", of_thread<fd_name<1>>},
    {"proc.stderr.name", kText, "Name of fd 2.", of_thread<fd_name<2>>},
};

} // namespace

std::span<const FieldInfo> process_fields() {
    return kFields;
}

} // namespace tiercel::filter
