// SPDX-License-Identifier: Apache-2.0
//
// fs.path.*: the paths that a call works on. One row for each event says which parameters they are.
#include "analyzer/state/path.h"

#include <algorithm>
#include <string>

#include "analyzer/fields/values.h"
#include "shared/event/params.h"

namespace tiercel::filter {
namespace {

using namespace event;

// In place of a parameter's number: there is none, or the path is the name of the event's fd.
constexpr std::int8_t kNone = -1, kFdName = -2;
struct PathRow {
    std::uint16_t code = 0;
    std::int8_t name = kNone;
    std::int8_t source = kNone; // of a move: the old name; of a link: the new name
    std::int8_t target = kNone; // of a move: the new name; of a link: the file it points to
};
constexpr PathRow kPaths[] = {
    {SYSCALL_OPEN_X, param::SYSCALL_OPEN_X::name},
    {SYSCALL_OPENAT_2_X, param::SYSCALL_OPENAT_2_X::name},
    {SYSCALL_OPENAT2_X, param::SYSCALL_OPENAT2_X::name},
    {SYSCALL_OPEN_BY_HANDLE_AT_X, param::SYSCALL_OPEN_BY_HANDLE_AT_X::path},
    {SYSCALL_CREAT_X, param::SYSCALL_CREAT_X::name},
    {SYSCALL_MKDIR_2_X, param::SYSCALL_MKDIR_2_X::path},
    {SYSCALL_MKDIRAT_X, param::SYSCALL_MKDIRAT_X::path},
    {SYSCALL_RMDIR_2_X, param::SYSCALL_RMDIR_2_X::path},
    {SYSCALL_UNLINK_2_X, param::SYSCALL_UNLINK_2_X::path},
    {SYSCALL_UNLINKAT_2_X, param::SYSCALL_UNLINKAT_2_X::name},
    {SYSCALL_CHMOD_X, param::SYSCALL_CHMOD_X::filename},
    {SYSCALL_FCHMODAT_X, param::SYSCALL_FCHMODAT_X::filename},
    {SYSCALL_FCHMODAT2_X, param::SYSCALL_FCHMODAT2_X::filename},
    {SYSCALL_SETXATTR_X, param::SYSCALL_SETXATTR_X::path},
    {SYSCALL_LSETXATTR_X, param::SYSCALL_LSETXATTR_X::path},
    {SYSCALL_SETXATTRAT_X, param::SYSCALL_SETXATTRAT_X::path},
    {SYSCALL_REMOVEXATTR_X, param::SYSCALL_REMOVEXATTR_X::path},
    {SYSCALL_LREMOVEXATTR_X, param::SYSCALL_LREMOVEXATTR_X::path},
    {SYSCALL_REMOVEXATTRAT_X, param::SYSCALL_REMOVEXATTRAT_X::path},
    {SYSCALL_FSETXATTR_X, kFdName},
    {SYSCALL_FREMOVEXATTR_X, kFdName},
    {SYSCALL_FCHMOD_X, kFdName},
    {SYSCALL_CHOWN_X, param::SYSCALL_CHOWN_X::path},
    {SYSCALL_LCHOWN_X, param::SYSCALL_LCHOWN_X::path},
    {SYSCALL_FCHOWN_X, kFdName},
    {SYSCALL_FCHOWNAT_X, param::SYSCALL_FCHOWNAT_X::pathname},
    {SYSCALL_QUOTACTL_X, param::SYSCALL_QUOTACTL_X::special},
    {SYSCALL_UMOUNT_1_X, param::SYSCALL_UMOUNT_1_X::name},
    {SYSCALL_UMOUNT2_X, param::SYSCALL_UMOUNT2_X::name},
    {SYSCALL_RENAME_X, kNone, param::SYSCALL_RENAME_X::oldpath, param::SYSCALL_RENAME_X::newpath},
    {SYSCALL_RENAMEAT_X, kNone, param::SYSCALL_RENAMEAT_X::oldpath,
     param::SYSCALL_RENAMEAT_X::newpath},
    {SYSCALL_RENAMEAT2_X, kNone, param::SYSCALL_RENAMEAT2_X::oldpath,
     param::SYSCALL_RENAMEAT2_X::newpath},
    {SYSCALL_LINK_2_X, kNone, param::SYSCALL_LINK_2_X::newpath, param::SYSCALL_LINK_2_X::oldpath},
    {SYSCALL_LINKAT_2_X, kNone, param::SYSCALL_LINKAT_2_X::newpath,
     param::SYSCALL_LINKAT_2_X::oldpath},
    {SYSCALL_SYMLINK_X, kNone, param::SYSCALL_SYMLINK_X::linkpath,
     param::SYSCALL_SYMLINK_X::target},
    {SYSCALL_SYMLINKAT_X, kNone, param::SYSCALL_SYMLINKAT_X::linkpath,
     param::SYSCALL_SYMLINKAT_X::target},
    {SYSCALL_MOUNT_X, kNone, param::SYSCALL_MOUNT_X::dev, param::SYSCALL_MOUNT_X::dir},
    {SYSCALL_MOVE_MOUNT_X, kNone, param::SYSCALL_MOVE_MOUNT_X::from_path,
     param::SYSCALL_MOVE_MOUNT_X::to_path},
    {SYSCALL_MOUNT_SETATTR_X, param::SYSCALL_MOUNT_SETATTR_X::path},
};

const PathRow* row_of(std::uint16_t code) {
    static const auto kTable = [] {
        std::array<const PathRow*, kCodeLimit> made{};
        for (const PathRow& row : kPaths)
            made[row.code] = &row;
        return made;
    }();
    return kTable[code];
}

// Returns true for opens, which name their file even if they fail, and for other calls that
// succeeded.
bool happened(const EventContext& event) {
    const EventInfo& info = event.event->info();
    const auto result = event.event->number<std::int64_t>(0);
    if (!result)
        return false;
    return info.params[0].type == ParamType::FD ? *result != -1 : *result == 0;
}

// The parameter's text, or the fd's name; nothing if the event has no such path.
std::optional<std::string_view> given_path(const EventContext& event, std::int8_t param) {
    if (param == kFdName)
        return event.fd != nullptr ? std::optional(name_of(event)) : std::nullopt;
    if (param < 0 || event.event->param(static_cast<std::uint32_t>(param)).empty())
        return std::nullopt;
    return event.event->text(static_cast<std::uint32_t>(param));
}

// The directory that a relative path in parameter `param` starts at.
std::string_view base_of(const EventContext& event, std::int8_t param) {
    const std::string_view cwd = event.thread->cwd();
    if (param < 0)
        return cwd;
    const ParamInfo& info = event.event->info().params[static_cast<std::size_t>(param)];
    if (info.dirfd < 0)
        return cwd;
    const auto dirfd = event.event->number<std::int64_t>(static_cast<std::uint32_t>(info.dirfd));
    const state::Fd* fd = dirfd && *dirfd != event::kAtFdcwd ? event.thread->fd(*dirfd) : nullptr;
    return fd != nullptr ? fd->name.view() : cwd;
}

template <std::int8_t PathRow::*which>
std::optional<std::string_view> raw_path(const EventContext& event) {
    const PathRow* row = row_of(event.event->code());
    return row != nullptr && happened(event) ? given_path(event, row->*which) : std::nullopt;
}

// Returns true if an absolute path can contain ".", ".." or repeated slashes.
bool has_detours(std::string_view path) {
    return path.find("//") != std::string_view::npos || path.find("/.") != std::string_view::npos;
}

template <std::int8_t PathRow::*which>
Values whole_path(const EventContext& event, const Argument&, Value& single) {
    const std::optional<std::string_view> text = raw_path<which>(event);
    if (!text || (text->starts_with('/') && !has_detours(*text)))
        return to_values(event, text, single);
    const bool is_whole = text->starts_with('/');
    if (event.thread == nullptr && !is_whole)
        return no_value();
    std::string& whole = event.arena->scratch();
    state::join_path(is_whole ? "/" : base_of(event, row_of(event.event->code())->*which), *text,
                     whole);
    return text_value(single, event.arena->copy(whole));
}

// The fd whose file is the call's path, if the kernel's path of it is known; else nullptr.
const state::Fd* kernel_file(const EventContext& event) {
    const PathRow* row = row_of(event.event->code());
    if (row == nullptr || event.fd == nullptr || !event.fd->is(state::Fd::kernel_path))
        return nullptr;
    const bool names_fd = row->name == kFdName || (event.event->info().flags & CREATES_FD) != 0;
    return names_fd && happened(event) ? event.fd : nullptr;
}

Values path_name(const EventContext& event, const Argument& argument, Value& single) {
    return kernel_file(event) != nullptr ? text_value(single, name_of(event))
                                         : whole_path<&PathRow::name>(event, argument, single);
}

std::optional<std::string_view> real_path(const EventContext& event) {
    const state::Fd* fd = kernel_file(event);
    return fd != nullptr ? std::optional(fd->name.view()) : std::nullopt;
}

std::optional<std::string_view> host_path(const EventContext& event) {
    const state::Fd* fd = kernel_file(event);
    return fd != nullptr && !fd->origin.empty() ? std::optional(fd->origin.view())
                                                : real_path(event);
}

constexpr FieldInfo kFields[] = {
    {"fs.path.name", kText,
     "The path that the call works on, whole. A condition holds if it holds for the kernel's path "
     "or for the path that the process gave.",
     path_name, cost(3)},
    {"fs.path.real", kText,
     "The kernel's path of the file that the call opened, or that its fd stands for.",
     of_event<real_path>, cost(2)},
    {"fs.path.host", kText,
     "fs.path.real without bind mounts: of a container's volume, the path on the host.",
     of_event<host_path>, cost(2)},
    {"fs.path.nameraw", kText, "The path that the call works on, as the process gave it.",
     of_event<raw_path<&PathRow::name>>, cost(2)},
    {"fs.path.source", kText,
     "Of calls with two paths: the one that is moved, or the new link, whole.",
     whole_path<&PathRow::source>, cost(3)},
    {"fs.path.sourceraw", kText, "fs.path.source as the process gave it.",
     of_event<raw_path<&PathRow::source>>, cost(2)},
    {"fs.path.target", kText,
     "Of calls with two paths: the new place, or the file that the link points to, whole.",
     whole_path<&PathRow::target>, cost(3)},
    {"fs.path.targetraw", kText, "fs.path.target as the process gave it.",
     of_event<raw_path<&PathRow::target>>, cost(2)},
};

} // namespace

std::span<const FieldInfo> path_fields() {
    return kFields;
}

} // namespace tiercel::filter
