// SPDX-License-Identifier: Apache-2.0
//
// fs.path.*: the paths that a call works on. One row for each event says which parameters they are.
#include "analyzer/state/path.h"

#include <algorithm>
#include <string>
#include <vector>

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

// The calls that work on what the path's last component names, and do not follow a link there.
constexpr std::uint16_t kKeepsLink[] = {
    SYSCALL_MKDIR_2_X,    SYSCALL_MKDIRAT_X, SYSCALL_RMDIR_2_X,   SYSCALL_UNLINK_2_X,
    SYSCALL_UNLINKAT_2_X, SYSCALL_LCHOWN_X,  SYSCALL_LSETXATTR_X, SYSCALL_LREMOVEXATTR_X};

// The parameters that name the directories at which the kernel starts to look up an event's paths.
struct Starts {
    std::int8_t path[2] = {kNone, kNone};
    std::int8_t start[2] = {kNone, kNone};
};

Starts find_starts(const EventInfo& info) {
    Starts found{.start = {static_cast<std::int8_t>(info.find_param("start")),
                           static_cast<std::int8_t>(info.find_param("start2"))}};
    std::size_t count = 0;
    for (std::size_t i = 0; i < info.params.size() && count < std::size(found.path); ++i) {
        const ParamInfo& param = info.params[i];
        if (!param.own && (param.type == ParamType::FSPATH || param.type == ParamType::FSRELPATH))
            found.path[count++] = static_cast<std::int8_t>(i);
    }
    return found;
}

// The kernel's path of the directory at which the lookup of the path in parameter `param` starts;
// empty if it is not known.
std::string_view start_of(const EventContext& event, std::int8_t param) {
    static const auto kTable = [] {
        std::vector<Starts> made(kCodeLimit);
        for (const EventInfo& info : events())
            made[info.code] = find_starts(info);
        return made;
    }();
    if (param < 0 || event.reading == Reading::given || event.state->names_as_given())
        return {};
    const Starts& starts = kTable[event.event->code()];
    for (std::size_t i = 0; i < std::size(starts.path); ++i)
        if (starts.path[i] == param && starts.start[i] >= 0)
            return event.event->text(static_cast<std::uint32_t>(starts.start[i]));
    return {};
}

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

// Joins an absolute path to the root directory, which ".." does not leave.
void join_root(std::string_view root, std::string_view path, std::string& out) {
    out = root;
    const std::string inside = state::join_path("/", path);
    out += inside;
}

// Returns true if an absolute path can contain ".", ".." or repeated slashes.
bool has_detours(std::string_view path) {
    return path.find("//") != std::string_view::npos || path.find("/.") != std::string_view::npos;
}

template <std::int8_t PathRow::*which>
Values whole_path(const EventContext& event, const Argument&, Value& single) {
    const std::optional<std::string_view> text = raw_path<which>(event);
    if (!text)
        return no_value();
    const std::int8_t param = row_of(event.event->code())->*which;
    const std::string_view start = start_of(event, param);
    if (text->starts_with('/') && start.size() <= 1 && !has_detours(*text))
        return text_value(single, *text);
    if (event.thread == nullptr && start.empty() && !text->starts_with('/'))
        return no_value();
    std::string& whole = event.arena->scratch();
    if (text->starts_with('/'))
        join_root(start.size() > 1 ? start : std::string_view(), *text, whole);
    else
        state::join_path(start.empty() ? base_of(event, param) : start, *text, whole);
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

// The path of a call that names one entry of the directory at which the lookup starts. No link can
// be on the way.
std::optional<std::string_view> entry_path(const EventContext& event) {
    const PathRow* row = row_of(event.event->code());
    if (row == nullptr || std::ranges::find(kKeepsLink, row->code) == std::end(kKeepsLink))
        return std::nullopt;
    const std::string_view start = start_of(event, row->name);
    std::string_view entry = raw_path<&PathRow::name>(event).value_or("");
    entry.remove_prefix(entry.starts_with('/') ? 1 : 0);
    const bool is_entry = !entry.empty() && entry.find('/') == std::string_view::npos &&
                          entry != "." && entry != "..";
    if (start.empty() || !is_entry)
        return std::nullopt;
    std::string& whole = event.arena->scratch();
    state::join_path(start, entry, whole);
    return event.arena->copy(whole);
}

std::optional<std::string_view> real_path(const EventContext& event) {
    const state::Fd* fd = kernel_file(event);
    return fd != nullptr ? std::optional(fd->name.view()) : entry_path(event);
}

std::optional<std::string_view> host_path(const EventContext& event) {
    const state::Fd* fd = kernel_file(event);
    return fd != nullptr && !fd->others->origin.empty() ? std::optional(fd->others->origin.view())
                                                        : real_path(event);
}

constexpr FieldInfo kFields[] = {
    {"fs.path.name", kText,
     "The path that the call works on, whole. A condition holds if it holds for the kernel's path "
     "or for the path that the process gave.",
     path_name, cost(3)},
    {"fs.path.real", kText,
     "The kernel's path of the file that the call opened, or that its fd stands for, or that it "
     "made or removed by a name in a directory that is the working directory or an fd.",
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

bool starts_below_root(const EventContext& event) {
    const PathRow* row = row_of(event.event->code());
    if (row == nullptr)
        return false;
    for (const std::int8_t param : {row->name, row->source, row->target})
        if (start_of(event, param).size() > 1 &&
            event.event->text(static_cast<std::uint32_t>(param)).starts_with('/'))
            return true;
    return false;
}

std::span<const FieldInfo> path_fields() {
    return kFields;
}

} // namespace tiercel::filter
