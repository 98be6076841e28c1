// SPDX-License-Identifier: Apache-2.0
//
// What a thread changes about itself: directories, users, capabilities, session, name.
#include <string>

#include "analyzer/state/path.h"
#include "analyzer/state/update.h"

namespace tiercel::state {
namespace {

using namespace event;

void set_cwd(Thread& thread, std::string path) {
    if (!path.ends_with('/'))
        path += '/';
    thread.process->cwd.set(path);
}

void apply_chdir(const Update& update) {
    if (update.succeeded() && !update.event.param(1).empty())
        set_cwd(update.thread(), join_path(update.thread().cwd(), update.event.text(1)));
}

void apply_fchdir(const Update& update) {
    if (update.succeeded() && update.now.fd != nullptr)
        set_cwd(update.thread(), std::string(update.now.fd->name.view()));
}

void apply_chroot(const Update& update) {
    if (update.succeeded() && !update.event.param(1).empty())
        update.thread().root = Text(join_path(update.thread().cwd(), update.event.text(1)));
}

// In the kernel credentials belong to a thread; the C library sets them for all of a process,
// thread by thread, so that each has its own event.
void set_user(const Update& update, std::uint32_t param) {
    const auto uid = update.event.number<std::uint32_t>(param);
    if (update.succeeded() && uid && *uid != kNoId)
        update.thread().uid = *uid;
}
void set_group(const Update& update, std::uint32_t param) {
    const auto gid = update.event.number<std::uint32_t>(param);
    if (update.succeeded() && gid && *gid != kNoId)
        update.thread().gid = *gid;
}

void apply_setuid(const Update& update) {
    set_user(update, 1);
}
void apply_setgid(const Update& update) {
    set_group(update, 1);
}
void apply_set_effective_user(const Update& update) {
    set_user(update, 2);
}
void apply_set_effective_group(const Update& update) {
    set_group(update, 2);
}

void apply_capset(const Update& update) {
    if (!update.succeeded())
        return;
    Thread& thread = update.thread();
    thread.cap_inheritable = update.event.number<std::uint64_t>(1).value_or(thread.cap_inheritable);
    thread.cap_permitted = update.event.number<std::uint64_t>(2).value_or(thread.cap_permitted);
    thread.cap_effective = update.event.number<std::uint64_t>(3).value_or(thread.cap_effective);
}

void apply_setsid(const Update& update) {
    const std::int64_t sid = update.result();
    if (sid < 0 || update.event.param(0).empty())
        return;
    update.thread().sid = sid;
    update.thread().tty = 0;
}

void apply_setpgid(const Update& update) {
    const auto pid = update.event.number<std::int64_t>(1);
    const auto group = update.event.number<std::int64_t>(2);
    if (!update.succeeded() || !pid || !group)
        return;
    // Numbers are those of the caller's namespace: only 0, itself, is certain there.
    Thread* target = *pid == 0                        ? &update.thread()
                     : update.thread().in_namespace() ? nullptr
                                                      : update.find(*pid);
    if (target == nullptr)
        return;
    target->vpgid = *group != 0 ? *group : target->vpid;
    if (!target->in_namespace())
        target->pgid = target->vpgid;
}

constexpr std::uint32_t kSetName = 15;      // PR_SET_NAME
constexpr std::uint32_t kSetSubreaper = 36; // PR_SET_CHILD_SUBREAPER

void apply_prctl(const Update& update) {
    if (!update.succeeded())
        return;
    const std::uint32_t option = update.flags_param(1);
    if (option == kSetName && !update.event.param(2).empty()) {
        update.thread().comm.set(update.event.text(2).substr(0, 15));
        update.thread().flags |= Thread::name_changed;
    } else if (option == kSetSubreaper) {
        update.process().subreaper = update.event.number<std::int64_t>(3).value_or(0) != 0;
    }
}

constexpr Handler kHandlers[] = {
    {SYSCALL_CHDIR_X, apply_chdir},
    {SYSCALL_FCHDIR_X, apply_fchdir},
    {SYSCALL_CHROOT_X, apply_chroot},
    {SYSCALL_SETUID_X, apply_setuid},
    {SYSCALL_SETGID_X, apply_setgid},
    {SYSCALL_SETREUID_X, apply_set_effective_user},
    {SYSCALL_SETREGID_X, apply_set_effective_group},
    {SYSCALL_SETRESUID_X, apply_set_effective_user},
    {SYSCALL_SETRESGID_X, apply_set_effective_group},
    {SYSCALL_CAPSET_X, apply_capset},
    {SYSCALL_SETSID_X, apply_setsid},
    {SYSCALL_SETPGID_X, apply_setpgid},
    {SYSCALL_PRCTL_X, apply_prctl},
};

} // namespace

std::span<const Handler> identity_handlers() {
    return kHandlers;
}

} // namespace tiercel::state
