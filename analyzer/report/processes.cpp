// SPDX-License-Identifier: Apache-2.0
//
// Gathers the processes of an incident, with their containers and users.
#include "analyzer/report/summary.h"
#include "shared/event/params.h"

namespace tiercel::report {

namespace {

// Lines kept of a process, and of one that raised alerts.
constexpr std::size_t kLines = 24, kLinesOfAlerted = 80;
constexpr std::size_t kMostAncestors = 64;

bool is_exec(const event::EventView& event) {
    const std::uint16_t code = event.code();
    return (code == event::SYSCALL_EXECVE_19_X || code == event::SYSCALL_EXECVEAT_X) &&
           event.number<std::int64_t>(0) == 0;
}

// Returns true for the child's side of a clone.
bool is_birth(const event::EventView& event) {
    switch (event.code()) {
    case event::SYSCALL_CLONE_20_X:
    case event::SYSCALL_FORK_20_X:
    case event::SYSCALL_VFORK_20_X:
    case event::SYSCALL_CLONE3_X: return event.number<std::int64_t>(0) == 0;
    default: return false;
    }
}

std::int64_t id_of(const state::Thread& thread) {
    return thread.is_placeholder() ? thread.tid : thread.pid;
}

std::string command_of(const state::Thread& thread) {
    std::string command(thread.exe.empty() ? thread.comm.view() : thread.exe.view());
    state::for_each_string(thread.args.view(), [&](std::string_view argument) {
        if (command.size() < Summary::kMostText + 1) {
            command += ' ';
            command += argument;
        }
    });
    return command;
}

} // namespace

std::uint32_t Summary::container_of(const state::Thread& thread, const state::StateTracker& state) {
    if (thread.container_id.empty())
        return kNone;
    bool is_new = false;
    const std::uint32_t index = containers_.find(thread.container_id.view(), is_new);
    if (index == kNone)
        return kNone;
    ContainerRow& row = containers_[index];
    if (is_new) {
        row.id = thread.container_id.view();
        row.runtime = state::name(state::container_name(thread.cgroups.view()).runtime);
    }
    if (row.name.empty())
        if (const state::Container* container = state.containers().find(row.id)) {
            row.name = kept(container->name);
            row.image = kept(container->image);
        }
    return index;
}

std::uint32_t Summary::user_of(std::uint32_t uid, const state::StateTracker& state) {
    if (uid == state::kNoId)
        return kNone;
    bool is_new = false;
    const std::string key = std::to_string(uid);
    const std::uint32_t index = users_.find(key, is_new);
    if (!is_new)
        return index;
    users_[index].uid = uid;
    if (const state::User* user = state.users().user(uid))
        users_[index].name = kept(user->name);
    return index;
}

void Summary::describe(ProcessRow& row, const state::Thread& thread,
                       const state::StateTracker& state) {
    row.name = kept(thread.comm.view());
    row.exe = kept(thread.exepath.view());
    row.command = kept(command_of(thread));
    row.container = container_of(thread, state);
    row.last_user = user_of(thread.uid, state);
    if (row.user == kNone)
        row.user = row.last_user;
    if (thread.clone_ts != 0 && row.started_ns == 0)
        row.started_ns = thread.clone_ts;
}

std::uint32_t Summary::add_process(const state::Thread& leader, const state::StateTracker& state) {
    if (processes_.size() == kMostProcesses) {
        ++refused_processes_;
        return kNone;
    }
    const auto index = static_cast<std::uint32_t>(processes_.size());
    ProcessRow& row = processes_.emplace_back();
    row.pid = id_of(leader);
    row.ppid = leader.ptid;
    describe(row, leader, state);
    if (row.container != kNone)
        ++containers_[row.container].processes;
    if (row.user != kNone)
        ++users_[row.user].processes;
    by_pid_[row.pid] = index;
    return index;
}

// Returns the process of the leader, and makes rows for it and its ancestors where there are none.
std::uint32_t Summary::known_process(const state::Thread& leader,
                                     const state::StateTracker& state) {
    const state::Thread* at = &leader;
    std::uint32_t first = kNone, child = kNone;
    for (std::size_t depth = 0; at != nullptr && depth < kMostAncestors; ++depth) {
        const std::uint32_t* found = by_pid_.find(id_of(*at));
        const std::uint32_t index = found != nullptr ? *found : add_process(*at, state);
        if (first == kNone)
            first = index;
        if (child != kNone && child != index)
            processes_[child].parent = index;
        if (found != nullptr || index == kNone)
            break;
        child = index;
        at = state.parent(*at);
    }
    return first;
}

std::uint32_t Summary::process_of(const Event& event) {
    const state::Thread* thread = event.state.current().thread;
    if (thread == nullptr)
        return kNone;
    const std::uint32_t* found = by_pid_.find(id_of(*thread));
    const bool is_reused = found != nullptr && processes_[*found].ended_ns != 0 &&
                           thread->is_leader() && is_birth(event.view);
    if (found != nullptr && !is_reused)
        return *found;
    if (is_reused)
        by_pid_.erase(id_of(*thread));
    const state::Thread* leader = event.state.leader(*thread);
    return known_process(leader != nullptr ? *leader : *thread, event.state);
}

void Summary::take_process(const Event& event, std::uint32_t process) {
    ProcessRow& row = processes_[process];
    const state::Thread& thread = *event.state.current().thread;
    count(event, row, row.alerts > 0 ? kLinesOfAlerted : kLines);
    if (is_birth(event.view) && thread.is_leader()) {
        row.started_ns = event.view.ts();
        describe(row, thread, event.state);
        step(event, StepKind::start, process, row.command);
    } else if (is_exec(event.view)) {
        if (++row.execs == 1 && row.events > 1)
            row.first_command = row.command;
        describe(row, thread, event.state);
        step(event, StepKind::exec, process, row.command);
        if (FileRow* file = this->file(event, process, thread.exepath.view(), {}))
            change(event, process, *file, bit(FileChange::executed));
    } else if (event.view.code() == event::PROCEXIT_1_E && thread.is_leader()) {
        row.ended_ns = event.view.ts();
        row.exit_status =
            event.view.number<std::int64_t>(event::param::PROCEXIT_1_E::status).value_or(0);
        step(event, StepKind::exit, process, {});
    }
    if (row.name.empty() && !thread.comm.empty())
        describe(row, thread, event.state);
    if (thread.uid != state::kNoId &&
        (row.last_user == kNone || users_[row.last_user].uid != thread.uid)) {
        row.last_user = user_of(thread.uid, event.state);
        if (row.user == kNone)
            row.user = row.last_user;
    }
    if (row.container == kNone && !thread.container_id.empty())
        row.container = container_of(thread, event.state);
    if (row.container != kNone)
        count(event, containers_[row.container], 0);
    if (row.last_user != kNone)
        count(event, users_[row.last_user], 0);
}

void Summary::add_running(const state::StateTracker& state) {
    state.for_each_thread([&](const state::Thread& thread) {
        if (!thread.is_leader() || thread.dead || !in_scope(&thread, state))
            return;
        if (const std::uint32_t process = known_process(thread, state); process != kNone)
            processes_[process].is_running = true;
    });
}

} // namespace tiercel::report
