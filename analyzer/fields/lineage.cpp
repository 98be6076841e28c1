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

// Deeper lines of descent are cut: a loop in a damaged table must end too.
constexpr std::size_t kMaxAncestors = 64;

const Thread* ancestor(const EventContext& event, std::int64_t generations) {
    const Thread* thread = event.thread != nullptr ? event.state->leader(*event.thread) : nullptr;
    for (; thread != nullptr && generations > 0; --generations)
        thread = event.state->parent(*thread);
    return thread;
}

enum Which : std::uint16_t { COMM, EXE, EXEPATH, CMDLINE, PID, VPID, START, DURATION, ENV, ARGS };

Values describe(const EventContext& event, const Thread& thread, std::uint16_t which,
                Value& single) {
    switch (which) {
    case COMM: return text_value(single, thread.comm);
    case EXE: return text_value(single, thread.exe);
    case EXEPATH: return text_value(single, thread.exepath);
    case PID: return number_value(single, thread.pid);
    case VPID: return number_value(single, thread.vpid);
    case START: return unsigned_value(single, thread.clone_ts);
    case DURATION:
        return thread.clone_ts != 0 ? unsigned_value(single, event.event->ts() - thread.clone_ts)
                                    : no_value();
    default: break;
    }
    std::string& text = event.arena->scratch();
    if (which == CMDLINE)
        append_cmdline(text, thread);
    else
        append_joined(text, which == ARGS ? thread.args.view() : thread.process->env.view());
    return text_value(single, event.arena->copy(text));
}

Values of_parent(const EventContext& event, const Argument& argument, Value& single) {
    if (event.thread == nullptr)
        return no_value();
    const Thread* leader = event.state->leader(*event.thread);
    const Thread* parent = event.state->parent(leader != nullptr ? *leader : *event.thread);
    return parent != nullptr ? describe(event, *parent, argument.variant, single) : no_value();
}

// With an index: that ancestor, 0 being the process itself. Without: all ancestors.
Values of_ancestor(const EventContext& event, const Argument& argument, Value& single) {
    if (argument.index >= 0) {
        const Thread* thread = ancestor(event, argument.index);
        return thread != nullptr ? describe(event, *thread, argument.variant, single) : no_value();
    }
    const std::span<Value> values = event.arena->array<Value>(kMaxAncestors);
    std::uint32_t count = 0;
    for (const Thread* thread = ancestor(event, 1); thread != nullptr && count < kMaxAncestors;
         thread = event.state->parent(*thread))
        if (describe(event, *thread, argument.variant, values[count]).present)
            ++count;
    return count > 0 ? Values{true, values.data(), count} : no_value();
}

// A name: the nearest ancestor's variable; a number or nothing: as of_ancestor.
Values ancestor_env(const EventContext& event, const Argument& argument, Value& single) {
    if (argument.key.empty() || argument.index >= 0)
        return of_ancestor(event, argument, single);
    std::size_t steps = 0;
    for (const Thread* thread = ancestor(event, 1); thread != nullptr && steps < kMaxAncestors;
         thread = event.state->parent(*thread), ++steps)
        if (const std::string_view value = env_value(*thread, argument.key); !value.empty())
            return text_value(single, value);
    return text_value(single, {});
}

enum LeaderOf : std::uint16_t { SESSION = 0, GROUP = 1, VIRTUAL_GROUP = 2 };
constexpr std::uint16_t leader_of(LeaderOf what, Which which) {
    return static_cast<std::uint16_t>(what << 8 | which);
}

std::int64_t group_id(const Thread& thread, std::uint16_t what) {
    return what == SESSION ? thread.sid : what == GROUP ? thread.pgid : thread.vpgid;
}

// The leader of the session or group: the process of that id; where that has ended, or the number
// is of another namespace, the eldest ancestor with the same id.
Values of_leader(const EventContext& event, const Argument& argument, Value& single) {
    if (event.thread == nullptr)
        return no_value();
    const std::uint16_t what = argument.variant >> 8;
    const std::uint16_t which = argument.variant & 0xff;
    const std::int64_t id = group_id(*event.thread, what);
    if (what == GROUP || !event.thread->in_namespace())
        if (const Thread* leader = event.state->find(id))
            return describe(event, *leader, which, single);
    const Thread* eldest = event.thread;
    std::size_t steps = 0;
    for (const Thread* thread = event.state->parent(*eldest);
         thread != nullptr && group_id(*thread, what) == id && steps < kMaxAncestors;
         thread = event.state->parent(*thread), ++steps)
        eldest = thread;
    return describe(event, *eldest, which, single);
}

// The oldest shell among the ancestors, the process itself included.
Values login_shell(const EventContext& event, const Argument&, Value& single) {
    std::int64_t found = -1;
    std::size_t steps = 0;
    for (const Thread* thread = ancestor(event, 0); thread != nullptr && steps < kMaxAncestors;
         thread = event.state->parent(*thread), ++steps)
        if (thread->comm.view().ends_with("sh"))
            found = thread->pid;
    return found >= 0 ? number_value(single, found) : no_value();
}

constexpr ValueType T = ValueType::text;
constexpr ValueType U = ValueType::unsigned_number;
constexpr ValueType S = ValueType::signed_number;
constexpr auto kNone = FieldArgument::none;
constexpr auto kIndex = FieldArgument::optional_index;
constexpr auto kSingle = Plurality::single;
constexpr auto kAny = Plurality::any;

constexpr FieldInfo kFields[] = {
    {"proc.pname", "CHARBUF", T, "proc.name of the parent.", of_parent, COMM, kNone, kSingle, 5},
    {"proc.pexe", "CHARBUF", T, "proc.exe of the parent.", of_parent, EXE, kNone, kSingle, 5},
    {"proc.pexepath", "CHARBUF", T, "proc.exepath of the parent.", of_parent, EXEPATH, kNone,
     kSingle, 5},
    {"proc.pcmdline", "CHARBUF", T, "proc.cmdline of the parent.", of_parent, CMDLINE, kNone,
     kSingle, 12},
    {"proc.pvpid", "INT64", S, "proc.vpid of the parent.", of_parent, VPID, kNone, kSingle, 5},
    {"proc.ppid.ts", "RELTIME", U, "proc.pid.ts of the parent.", of_parent, START, kNone, kSingle,
     5},
    {"proc.ppid.duration", "RELTIME", U, "proc.duration of the parent.", of_parent, DURATION, kNone,
     kSingle, 5},
    {"proc.aname", "CHARBUF", T,
     "proc.name of an ancestor: proc.aname[1] is the parent. Without a number, of any.",
     of_ancestor, COMM, kIndex, kAny, 20},
    {"proc.aexe", "CHARBUF", T, "proc.exe of an ancestor; without a number, of any.", of_ancestor,
     EXE, kIndex, kAny, 20},
    {"proc.aexepath", "CHARBUF", T, "proc.exepath of an ancestor; without a number, of any.",
     of_ancestor, EXEPATH, kIndex, kAny, 20},
    {"proc.acmdline", "CHARBUF", T, "proc.cmdline of an ancestor; without a number, of any.",
     of_ancestor, CMDLINE, kIndex, kAny, 40},
    {"proc.aargs", "CHARBUF", T, "proc.args of an ancestor; without a number, of any.", of_ancestor,
     ARGS, kIndex, kAny, 40},
    {"proc.apid", "INT64", S, "proc.pid of an ancestor; without a number, of any.", of_ancestor,
     PID, kIndex, kAny, 20},
    {"proc.aenv", "CHARBUF", T,
     "Environment of an ancestor by number, or a variable of the nearest that has it: "
     "proc.aenv[HOME].",
     ancestor_env, ENV, FieldArgument::optional_key, kAny, 40},
    {"proc.sname", "CHARBUF", T, "proc.name of the session's leader.", of_leader,
     leader_of(SESSION, COMM), kNone, kSingle, 6},
    {"proc.sid.exe", "CHARBUF", T, "proc.exe of the session's leader.", of_leader,
     leader_of(SESSION, EXE), kNone, kSingle, 6},
    {"proc.sid.exepath", "CHARBUF", T, "proc.exepath of the session's leader.", of_leader,
     leader_of(SESSION, EXEPATH), kNone, kSingle, 6},
    {"proc.pgid.name", "CHARBUF", T, "proc.name of the process group's leader.", of_leader,
     leader_of(GROUP, COMM), kNone, kSingle, 6},
    {"proc.pgid.exe", "CHARBUF", T, "proc.exe of the process group's leader.", of_leader,
     leader_of(GROUP, EXE), kNone, kSingle, 6},
    {"proc.pgid.exepath", "CHARBUF", T, "proc.exepath of the process group's leader.", of_leader,
     leader_of(GROUP, EXEPATH), kNone, kSingle, 6},
    {"proc.vpgid.name", "CHARBUF", T, "As proc.pgid.name, by the numbers of the pid namespace.",
     of_leader, leader_of(VIRTUAL_GROUP, COMM), kNone, kSingle, 6},
    {"proc.vpgid.exe", "CHARBUF", T, "As proc.pgid.exe, by the numbers of the pid namespace.",
     of_leader, leader_of(VIRTUAL_GROUP, EXE), kNone, kSingle, 6},
    {"proc.vpgid.exepath", "CHARBUF", T,
     "As proc.pgid.exepath, by the numbers of the pid namespace.", of_leader,
     leader_of(VIRTUAL_GROUP, EXEPATH), kNone, kSingle, 6},
    {"proc.loginshellid", "INT64", S, "Process id of the oldest shell among the ancestors.",
     login_shell, 0, kNone, kSingle, 20},
};

} // namespace

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
