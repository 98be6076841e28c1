// SPDX-License-Identifier: Apache-2.0
//
// Fields of the parents, the session and the process group.
#include "analyzer/fields/lineage.h"

#include <array>
#include <utility>

#include "analyzer/fields/values.h"

namespace tiercel::filter {
namespace {

using state::Thread;

// Longer lines of descent are cut, so that a loop in a damaged table ends too.
constexpr std::size_t kMaxAncestors = 64;

const Thread* ancestor(const EventContext& event, std::int64_t generations) {
    const Thread* thread = event.thread != nullptr ? event.state->leader(*event.thread) : nullptr;
    for (; thread != nullptr && generations > 0; --generations)
        thread = event.state->parent(*thread);
    return thread;
}

template <auto getter>
Values of_parent(const EventContext& event, const Argument&, Value& single) {
    if (event.thread == nullptr)
        return no_value();
    const Thread* leader = event.state->leader(*event.thread);
    const Thread* parent = event.state->parent(leader != nullptr ? *leader : *event.thread);
    return parent != nullptr ? get<getter>(event, *parent, single) : no_value();
}

// With an index, the field of that ancestor; 0 is the process itself. Without, of all ancestors.
template <auto getter>
Values of_ancestor(const EventContext& event, const Argument& argument, Value& single) {
    if (argument.index >= 0) {
        const Thread* thread = ancestor(event, argument.index);
        return thread != nullptr ? get<getter>(event, *thread, single) : no_value();
    }
    const std::span<Value> values = event.arena->array<Value>(kMaxAncestors);
    std::uint32_t count = 0;
    for (const Thread* thread = ancestor(event, 1); thread != nullptr && count < kMaxAncestors;
         thread = event.state->parent(*thread))
        if (get<getter>(event, *thread, values[count]).present)
            ++count;
    return count > 0 ? Values{true, values.data(), count} : no_value();
}

void append_args(std::string& out, const Thread& thread) {
    append_joined(out, thread.args.view());
}
void append_env(std::string& out, const Thread& thread) {
    append_joined(out, thread.process->env.view());
}

// With a name, the variable of the nearest ancestor that has it; otherwise as of_ancestor.
Values ancestor_env(const EventContext& event, const Argument& argument, Value& single) {
    if (argument.key.empty() || argument.index >= 0)
        return of_ancestor<append_env>(event, argument, single);
    std::size_t steps = 0;
    for (const Thread* thread = ancestor(event, 1); thread != nullptr && steps < kMaxAncestors;
         thread = event.state->parent(*thread), ++steps)
        if (const std::string_view value = env_value(*thread, argument.key); !value.empty())
            return text_value(single, value);
    return text_value(single, {});
}

// The leader of the session or group with the number in member `id`: the process of that number. If
// it has ended, or the number is one of another namespace, the eldest ancestor with the same
// number.
template <std::int64_t Thread::*id, auto getter>
Values of_leader(const EventContext& event, const Argument&, Value& single) {
    if (event.thread == nullptr)
        return no_value();
    const std::int64_t number = event.thread->*id;
    const bool of_this_namespace = id == &Thread::pgid || !event.thread->in_namespace();
    if (of_this_namespace)
        if (const Thread* leader = event.state->find(number))
            return get<getter>(event, *leader, single);
    const Thread* eldest = event.thread;
    std::size_t steps = 0;
    for (const Thread* thread = event.state->parent(*eldest);
         thread != nullptr && thread->*id == number && steps < kMaxAncestors;
         thread = event.state->parent(*thread), ++steps)
        eldest = thread;
    return get<getter>(event, *eldest, single);
}

// The oldest shell among the ancestors, the process itself included.
std::optional<std::int64_t> login_shell(const EventContext& event) {
    std::optional<std::int64_t> found;
    std::size_t steps = 0;
    for (const Thread* thread = ancestor(event, 0); thread != nullptr && steps < kMaxAncestors;
         thread = event.state->parent(*thread), ++steps)
        if (thread->comm.view().ends_with("sh"))
            found = thread->pid;
    return found;
}

constexpr FieldInfo kFields[] = {
    {"proc.pname", kText, "proc.name of the parent.", of_parent<&Thread::comm>, cost(5)},
    {"proc.pexe", kText, "proc.exe of the parent.", of_parent<&Thread::exe>, cost(5)},
    {"proc.pexepath", kText, "proc.exepath of the parent.", of_parent<exe_path>, cost(5)},
    {"proc.pcmdline", kText, "proc.cmdline of the parent.", of_parent<append_cmdline>, cost(12)},
    {"proc.pvpid", kInt64, "proc.vpid of the parent.", of_parent<&Thread::vpid>, cost(5)},
    {"proc.ppid.ts", kRelTime, "proc.pid.ts of the parent.", of_parent<&Thread::clone_ts>, cost(5)},
    {"proc.ppid.duration", kRelTime, "proc.duration of the parent.", of_parent<age>, cost(5)},
    {"proc.aname", kText,
     "proc.name of an ancestor: proc.aname[1] is the parent. Without a number, of any.",
     of_ancestor<&Thread::comm>, kIndex, kAny, cost(20)},
    {"proc.aexe", kText, "proc.exe of an ancestor; without a number, of any.",
     of_ancestor<&Thread::exe>, kIndex, kAny, cost(20)},
    {"proc.aexepath", kText, "proc.exepath of an ancestor; without a number, of any.",
     of_ancestor<exe_path>, kIndex, kAny, cost(20)},
    {"proc.acmdline", kText, "proc.cmdline of an ancestor; without a number, of any.",
     of_ancestor<append_cmdline>, kIndex, kAny, cost(40)},
    {"proc.aargs", kText, "proc.args of an ancestor; without a number, of any.",
     of_ancestor<append_args>, kIndex, kAny, cost(40)},
    {"proc.apid", kInt64, "proc.pid of an ancestor; without a number, of any.",
     of_ancestor<&Thread::pid>, kIndex, kAny, cost(20)},
    {"proc.aenv", kText,
     "Environment of an ancestor by number, or a variable of the nearest that has it: "
     "proc.aenv[HOME].",
     ancestor_env, kKey, kAny, cost(40)},
    {"proc.sname", kText, "proc.name of the session's leader.",
     of_leader<&Thread::sid, &Thread::comm>, cost(6)},
    {"proc.sid.exe", kText, "proc.exe of the session's leader.",
     of_leader<&Thread::sid, &Thread::exe>, cost(6)},
    {"proc.sid.exepath", kText, "proc.exepath of the session's leader.",
     of_leader<&Thread::sid, exe_path>, cost(6)},
    {"proc.pgid.name", kText, "proc.name of the process group's leader.",
     of_leader<&Thread::pgid, &Thread::comm>, cost(6)},
    {"proc.pgid.exe", kText, "proc.exe of the process group's leader.",
     of_leader<&Thread::pgid, &Thread::exe>, cost(6)},
    {"proc.pgid.exepath", kText, "proc.exepath of the process group's leader.",
     of_leader<&Thread::pgid, exe_path>, cost(6)},
    {"proc.vpgid.name", kText, "As proc.pgid.name, by the numbers of the pid namespace.",
     of_leader<&Thread::vpgid, &Thread::comm>, cost(6)},
    {"proc.vpgid.exe", kText, "As proc.pgid.exe, by the numbers of the pid namespace.",
     of_leader<&Thread::vpgid, &Thread::exe>, cost(6)},
    {"proc.vpgid.exepath", kText, "As proc.pgid.exepath, by the numbers of the pid namespace.",
     of_leader<&Thread::vpgid, exe_path>, cost(6)},
    {"proc.loginshellid", kInt64, "Process id of the oldest shell among the ancestors.",
     of_event<login_shell>, cost(20)},
};

} // namespace

std::string_view exe_path(const Thread& thread) {
    constexpr std::string_view kDeleted = " (deleted)"; // proc_pid_exe(5)
    std::string_view path = thread.exepath.view();
    if (path.ends_with(kDeleted))
        path.remove_suffix(kDeleted.size());
    return path;
}

std::optional<std::uint64_t> age(const EventContext& event, const Thread& thread) {
    return thread.clone_ts != 0 ? std::optional(event.event->ts() - thread.clone_ts) : std::nullopt;
}

void append_joined(std::string& out, std::string_view strings) {
    bool first = true;
    state::for_each_string(strings, [&](std::string_view text) {
        if (!std::exchange(first, false))
            out += ' ';
        out += text;
    });
}

void append_cmdline(std::string& out, const Thread& thread) {
    out += thread.comm.view();
    state::for_each_string(thread.args.view(), [&](std::string_view text) {
        out += ' ';
        out += text;
    });
}

std::string_view env_value(const Thread& thread, std::string_view name) {
    std::string_view found;
    state::for_each_string(thread.process->env.view(), [&](std::string_view text) {
        if (found.empty() && text.size() > name.size() && text.starts_with(name) &&
            text[name.size()] == '=')
            found = text.substr(name.size() + 1);
    });
    return found;
}

std::span<const FieldInfo> lineage_fields() {
    return kFields;
}

} // namespace tiercel::filter
