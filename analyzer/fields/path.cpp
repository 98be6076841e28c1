// SPDX-License-Identifier: Apache-2.0
//
// fs.path.*: the paths that a call works on. One row for each event says which parameters they are.
#include <algorithm>
#include <string>

#include "analyzer/fields/values.h"
#include "analyzer/state/path.h"
#include "analyzer/state/update.h"

namespace tiercel::filter {
namespace {

using namespace event;

// Parameter numbers; -1: none; kFdName: the fd's name.
constexpr std::int8_t kFdName = -2;
struct PathRow {
    std::uint16_t code = 0;
    std::int8_t name = -1;
    std::int8_t source = -1; // of a move or link: where the new name is
    std::int8_t target = -1; // and what it points to
};
constexpr PathRow kPaths[] = {
    {SYSCALL_OPEN_X, 1},
    {SYSCALL_OPENAT_2_X, 2},
    {SYSCALL_OPENAT2_X, 2},
    {SYSCALL_OPEN_BY_HANDLE_AT_X, 3},
    {SYSCALL_CREAT_X, 1},
    {SYSCALL_MKDIR_2_X, 1},
    {SYSCALL_MKDIRAT_X, 2},
    {SYSCALL_RMDIR_2_X, 1},
    {SYSCALL_UNLINK_2_X, 1},
    {SYSCALL_UNLINKAT_2_X, 2},
    {SYSCALL_CHMOD_X, 1},
    {SYSCALL_FCHMODAT_X, 2},
    {SYSCALL_FCHMOD_X, kFdName},
    {SYSCALL_CHOWN_X, 1},
    {SYSCALL_LCHOWN_X, 1},
    {SYSCALL_FCHOWN_X, kFdName},
    {SYSCALL_FCHOWNAT_X, 2},
    {SYSCALL_QUOTACTL_X, 1},
    {SYSCALL_UMOUNT_1_X, 1},
    {SYSCALL_UMOUNT2_X, 1},
    {SYSCALL_RENAME_X, -1, 1, 2},
    {SYSCALL_RENAMEAT_X, -1, 2, 4},
    {SYSCALL_RENAMEAT2_X, -1, 2, 4},
    {SYSCALL_LINK_2_X, -1, 2, 1},
    {SYSCALL_LINKAT_2_X, -1, 4, 2},
    {SYSCALL_SYMLINK_X, -1, 2, 1},
    {SYSCALL_SYMLINKAT_X, -1, 3, 1},
    {SYSCALL_MOUNT_X, -1, 1, 2},
};

const PathRow* row_of(std::uint16_t code) {
    static const auto table = [] {
        std::array<const PathRow*, kCodeLimit> made{};
        for (const PathRow& row : kPaths)
            made[row.code] = &row;
        return made;
    }();
    return table[code];
}

enum Which : std::uint16_t { NAME, SOURCE, TARGET };
constexpr std::uint16_t kRaw = 4;

// Opening counts when it failed too, as the name was asked for; all others must have succeeded.
bool happened(const EventContext& event) {
    const EventInfo& info = event.event->info();
    const auto result = event.event->number<std::int64_t>(0);
    if (!result)
        return false;
    return info.params[0].type == ParamType::FD ? *result != -1 : *result == 0;
}

Values path(const EventContext& event, const Argument& argument, Value& single) {
    const PathRow* row = row_of(event.event->code());
    if (row == nullptr || !happened(event))
        return no_value();
    const std::uint16_t which = argument.variant & 3;
    const std::int8_t param = which == NAME     ? row->name
                              : which == SOURCE ? row->source
                                                : row->target;
    std::string_view text;
    std::string directory;
    if (param == kFdName) {
        if (event.fd == nullptr)
            return no_value();
        text = event.fd->name.view();
    } else if (param >= 0 && !event.event->param(static_cast<std::uint32_t>(param)).empty()) {
        text = event.event->text(static_cast<std::uint32_t>(param));
    } else {
        return no_value();
    }
    if ((argument.variant & kRaw) != 0 || text.starts_with('/'))
        return text_value(single, text);
    if (event.thread == nullptr)
        return no_value();
    std::string_view base = event.thread->cwd();
    if (param >= 0) {
        const ParamInfo& info = event.event->info().params[static_cast<std::size_t>(param)];
        const auto dirfd =
            info.dirfd >= 0
                ? event.event->number<std::int64_t>(static_cast<std::uint32_t>(info.dirfd))
                : std::nullopt;
        if (dirfd && *dirfd != state::kAtFdcwd)
            if (const state::Fd* fd = event.thread->fd(*dirfd))
                base = fd->name.view();
    }
    std::string& whole = event.arena->scratch();
    state::join_path(base, text, whole);
    return text_value(single, event.arena->copy(whole));
}

constexpr ValueType T = ValueType::text;
constexpr FieldInfo kFields[] = {
    {"fs.path.name", "CHARBUF", T, "The path that the call works on, whole.", path, NAME,
     FieldArgument::none, Plurality::single, 3},
    {"fs.path.nameraw", "CHARBUF", T, "The path that the call works on, as the process gave it.",
     path, NAME | kRaw, FieldArgument::none, Plurality::single, 2},
    {"fs.path.source", "CHARBUF", T,
     "Of calls with two paths: the one that is moved, or the new link, whole.", path, SOURCE,
     FieldArgument::none, Plurality::single, 3},
    {"fs.path.sourceraw", "CHARBUF", T, "fs.path.source as the process gave it.", path,
     SOURCE | kRaw, FieldArgument::none, Plurality::single, 2},
    {"fs.path.target", "CHARBUF", T,
     "Of calls with two paths: where it is moved to, or what the link points to, whole.", path,
     TARGET, FieldArgument::none, Plurality::single, 3},
    {"fs.path.targetraw", "CHARBUF", T, "fs.path.target as the process gave it.", path,
     TARGET | kRaw, FieldArgument::none, Plurality::single, 2},
};

} // namespace

std::span<const FieldInfo> path_fields() {
    return kFields;
}

} // namespace tiercel::filter
