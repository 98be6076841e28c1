// SPDX-License-Identifier: Apache-2.0
//
// Handlers of the events by which a thread changes itself: directories, users, capabilities,
// session, name. The numbers of user and group that events carry are those of the initial user
// namespace.
#include <string>

#include "analyzer/state/params.h"
#include "analyzer/state/path.h"
#include "analyzer/state/update.h"
#include "shared/event/params.h"

namespace tiercel::state {
namespace {

using namespace event;
namespace prctl_options = event::flags::prctl_options;

void set_cwd(Thread& thread, std::string path) {
    if (!path.ends_with('/'))
        path += '/';
    thread.process->cwd.set(path);
}

// Takes the working directory that the kernel tells after the call. Returns false if it does not.
bool take_cwd(const Update& update, std::uint32_t index) {
    const std::string_view cwd = update.kernel_path(index);
    if (!cwd.empty())
        set_cwd(update.thread(), std::string(cwd));
    return !cwd.empty();
}

void apply_chdir(const Update& update) {
    namespace chdir = param::SYSCALL_CHDIR_X;
    if (!update.succeeded() || take_cwd(update, chdir::cwd))
        return;
    if (!update.event.param(chdir::path).empty())
        set_cwd(update.thread(), join_path(update.thread().cwd(), update.event.text(chdir::path)));
}

void apply_fchdir(const Update& update) {
    if (!update.succeeded() || take_cwd(update, param::SYSCALL_FCHDIR_X::cwd))
        return;
    if (update.now.fd != nullptr)
        set_cwd(update.thread(), std::string(update.now.fd->name.view()));
}

void apply_chroot(const Update& update) {
    namespace chroot = param::SYSCALL_CHROOT_X;
    if (!update.succeeded())
        return;
    if (const std::string_view root = update.kernel_path(chroot::root); !root.empty())
        update.thread().root = Text(root);
    else if (!update.event.param(chroot::path).empty())
        update.thread().root =
            Text(join_path(update.thread().cwd(), update.event.text(chroot::path)));
}

// Credentials belong to a thread in the kernel. The C library sets those of a whole process thread
// by thread, so each thread has its own event.
void set_user(const Update& update, std::uint32_t index) {
    const auto uid = update.event.number<std::uint32_t>(index);
    if (update.succeeded() && uid && *uid != kNoId)
        update.thread().uid = *uid;
    update.tracker.users().meet(update.thread().uid, update.thread().gid);
}
void set_group(const Update& update, std::uint32_t index) {
    const auto gid = update.event.number<std::uint32_t>(index);
    if (update.succeeded() && gid && *gid != kNoId)
        update.thread().gid = *gid;
    update.tracker.users().meet(update.thread().uid, update.thread().gid);
}

// Takes the credentials that the kernel tells after the call, from parameter `first` on: the user
// in the initial user namespace, the group, what the call has left of the capabilities, and the
// real user.
void take_credentials(const Update& update, std::uint32_t first) {
    if (!update.succeeded())
        return;
    Thread& thread = update.thread();
    take<std::uint32_t>(update.event, first, thread.uid);
    take<std::uint32_t>(update.event, first + 1, thread.gid);
    update.tracker.users().meet(thread.uid, thread.gid);
    take<std::uint64_t>(update.event, first + 2, thread.cap_permitted);
    take<std::uint64_t>(update.event, first + 3, thread.cap_effective);
    take<std::uint32_t>(update.event, first + 4, thread.ruid);
}

void apply_setuid(const Update& update) {
    set_user(update, param::SYSCALL_SETUID_X::uid);
    take_credentials(update, param::SYSCALL_SETUID_X::uid_after);
}
void apply_setgid(const Update& update) {
    set_group(update, param::SYSCALL_SETGID_X::gid);
    take_credentials(update, param::SYSCALL_SETGID_X::uid_after);
}
void apply_setreuid(const Update& update) {
    set_user(update, param::SYSCALL_SETREUID_X::euid);
    take_credentials(update, param::SYSCALL_SETREUID_X::uid_after);
}
void apply_setregid(const Update& update) {
    set_group(update, param::SYSCALL_SETREGID_X::egid);
    take_credentials(update, param::SYSCALL_SETREGID_X::uid_after);
}
void apply_setresuid(const Update& update) {
    set_user(update, param::SYSCALL_SETRESUID_X::euid);
    take_credentials(update, param::SYSCALL_SETRESUID_X::uid_after);
}
void apply_setresgid(const Update& update) {
    set_group(update, param::SYSCALL_SETRESGID_X::egid);
    take_credentials(update, param::SYSCALL_SETRESGID_X::uid_after);
}
// A new user namespace gives all capabilities in it.
void apply_unshare(const Update& update) {
    namespace unshare = param::SYSCALL_UNSHARE_X;
    take_credentials(update, unshare::uid_after);
    update.take_namespaces(update.thread(), unshare::namespaces);
}
void apply_setns(const Update& update) {
    namespace setns = param::SYSCALL_SETNS_X;
    take_credentials(update, setns::uid_after);
    update.take_namespaces(update.thread(), setns::namespaces);
}

void apply_capset(const Update& update) {
    namespace capset = param::SYSCALL_CAPSET_X;
    if (!update.succeeded())
        return;
    Thread& thread = update.thread();
    take<std::uint64_t>(update.event, capset::cap_inheritable, thread.cap_inheritable);
    take<std::uint64_t>(update.event, capset::cap_permitted, thread.cap_permitted);
    take<std::uint64_t>(update.event, capset::cap_effective, thread.cap_effective);
}

void apply_setsid(const Update& update) {
    namespace setsid = param::SYSCALL_SETSID_X;
    const std::int64_t sid = update.result();
    if (sid < 0 || update.event.param(setsid::res).empty())
        return;
    update.thread().sid = sid;
    update.thread().tty = 0;
    // The caller leads a new process group, too. kernel/sys.c, ksys_setsid()
    take<std::int64_t>(update.event, setsid::pgid_after, update.thread().pgid);
    take<std::int64_t>(update.event, setsid::vpgid_after, update.thread().vpgid);
}

void apply_setpgid(const Update& update) {
    namespace setpgid = param::SYSCALL_SETPGID_X;
    const auto pid = update.event.number<std::int64_t>(setpgid::pid);
    const auto group = update.event.number<std::int64_t>(setpgid::pgid);
    if (!update.succeeded() || !pid || !group)
        return;
    // The numbers are those of the caller's pid namespace. Inside one, only 0 (the caller) is
    // certain.
    Thread* target = *pid == 0                        ? &update.thread()
                     : update.thread().in_namespace() ? nullptr
                                                      : update.find(*pid);
    if (target == nullptr)
        return;
    target->vpgid = *group != 0 ? *group : target->vpid;
    if (!target->in_namespace())
        target->pgid = target->vpgid;
}

// The kernel cuts a thread's name to TASK_COMM_LEN - 1 characters (include/linux/sched.h).
constexpr std::size_t kMaxComm = 15;

void apply_prctl(const Update& update) {
    namespace prctl = param::SYSCALL_PRCTL_X;
    if (!update.succeeded())
        return;
    const std::uint32_t option = update.flags_param(prctl::option);
    if (option == prctl_options::kPR_SET_NAME && !update.event.param(prctl::arg2_str).empty()) {
        update.thread().name.set(update.event.text(prctl::arg2_str).substr(0, kMaxComm));
        update.thread().flags |= Thread::name_changed;
    } else if (option == prctl_options::kPR_SET_CHILD_SUBREAPER) {
        update.process().subreaper =
            update.event.number<std::int64_t>(prctl::arg2_int).value_or(0) != 0;
    }
}

constexpr Handler kHandlers[] = {
    {SYSCALL_CHDIR_X, apply_chdir},         {SYSCALL_FCHDIR_X, apply_fchdir},
    {SYSCALL_CHROOT_X, apply_chroot},       {SYSCALL_SETUID_X, apply_setuid},
    {SYSCALL_SETGID_X, apply_setgid},       {SYSCALL_SETREUID_X, apply_setreuid},
    {SYSCALL_SETREGID_X, apply_setregid},   {SYSCALL_SETRESUID_X, apply_setresuid},
    {SYSCALL_SETRESGID_X, apply_setresgid}, {SYSCALL_CAPSET_X, apply_capset},
    {SYSCALL_SETSID_X, apply_setsid},       {SYSCALL_SETPGID_X, apply_setpgid},
    {SYSCALL_PRCTL_X, apply_prctl},         {SYSCALL_UNSHARE_X, apply_unshare},
    {SYSCALL_SETNS_X, apply_setns},
};

} // namespace

std::span<const Handler> identity_handlers() {
    return kHandlers;
}

} // namespace tiercel::state
