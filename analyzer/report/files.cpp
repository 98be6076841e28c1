// SPDX-License-Identifier: Apache-2.0
//
// Gathers the files of an incident: opens, reads and writes by descriptors, and the calls that
// change files by their paths.
#include <algorithm>
#include <array>

#include "analyzer/report/summary.h"

namespace tiercel::report {

namespace {

using namespace event;
using state::FdKind;

constexpr std::size_t kLines = 8;

enum class Role : std::uint8_t { none, open, io, path };

struct Effect {
    Role role = Role::none;
    std::uint32_t changes = 0; // of Role::path
};

struct Row {
    std::uint16_t code;
    FileChange change;
};
constexpr Row kChanges[] = {
    {SYSCALL_MKDIR_2_X, FileChange::created},    {SYSCALL_MKDIRAT_X, FileChange::created},
    {SYSCALL_RMDIR_2_X, FileChange::deleted},    {SYSCALL_UNLINK_2_X, FileChange::deleted},
    {SYSCALL_UNLINKAT_2_X, FileChange::deleted}, {SYSCALL_CHMOD_X, FileChange::mode_set},
    {SYSCALL_FCHMODAT_X, FileChange::mode_set},  {SYSCALL_FCHMODAT2_X, FileChange::mode_set},
    {SYSCALL_FCHMOD_X, FileChange::mode_set},    {SYSCALL_CHOWN_X, FileChange::owner_set},
    {SYSCALL_LCHOWN_X, FileChange::owner_set},   {SYSCALL_FCHOWN_X, FileChange::owner_set},
    {SYSCALL_FCHOWNAT_X, FileChange::owner_set}, {SYSCALL_RENAME_X, FileChange::renamed},
    {SYSCALL_RENAMEAT_X, FileChange::renamed},   {SYSCALL_RENAMEAT2_X, FileChange::renamed},
    {SYSCALL_LINK_2_X, FileChange::linked},      {SYSCALL_LINKAT_2_X, FileChange::linked},
    {SYSCALL_SYMLINK_X, FileChange::linked},     {SYSCALL_SYMLINKAT_X, FileChange::linked},
    {SYSCALL_MOUNT_X, FileChange::mounted},      {SYSCALL_UMOUNT2_X, FileChange::mounted},
    {SYSCALL_MOVE_MOUNT_X, FileChange::mounted},
};

// What each kind of event means for files.
const Effect& effect_of(const EventInfo& info) {
    static const auto kTable = [] {
        std::array<Effect, kCodeLimit> made{};
        for (const EventInfo& each : events()) {
            if ((each.flags & CREATES_FD) != 0 && each.category == Category::FILE)
                made[each.code].role = Role::open;
            else if ((each.flags & (READS_FROM_FD | WRITES_TO_FD)) != 0)
                made[each.code].role = Role::io;
        }
        for (const Row& row : kChanges)
            made[row.code] = {Role::path, bit(row.change)};
        return made;
    }();
    return kTable[info.code];
}

bool is_file(const state::Fd& fd) {
    return fd.kind == FdKind::file || fd.kind == FdKind::file_with_flags ||
           fd.kind == FdKind::directory || fd.kind == FdKind::memfd;
}

} // namespace

FileRow* Summary::file(const Event& event, std::uint32_t process, std::string_view path,
                       std::string_view given) {
    if (path.empty())
        return nullptr;
    const std::uint32_t container = processes_[process].container;
    key_.assign(reinterpret_cast<const char*>(&container), sizeof container);
    key_ += path;
    bool is_new = false;
    const std::uint32_t index = files_.find(key_, is_new);
    if (index == kNone)
        return nullptr;
    FileRow& row = files_[index];
    if (is_new) {
        row.path = kept(path);
        row.container = container;
    }
    if (row.given.empty() && given != path)
        row.given = kept(given);
    if (row.processes.size() < FileRow::kMostProcesses &&
        std::ranges::find(row.processes, process) == row.processes.end())
        row.processes.push_back(process);
    count(event, row, kLines);
    return &row;
}

std::string_view Summary::path(const Event& event, std::uint32_t field) {
    const filter::Values values = event.fields.fetch(field, value_);
    return values.present && values.count > 0 ? values.first->text : std::string_view();
}

void Summary::change(const Event& event, std::uint32_t process, FileRow& row,
                     std::uint32_t changes) {
    if ((row.changes & changes) != changes && changes != bit(FileChange::executed))
        step(event, StepKind::change, process, row.path, changes);
    row.changes |= changes;
}

void Summary::take_open(const Event& event, std::uint32_t process) {
    namespace flags = event::flags::file_flags;
    const auto result = event.view.number<std::int64_t>(0);
    const state::Fd* fd = event.state.current().fd;
    if (!result || *result < 0 || fd == nullptr) {
        const std::string given(path(event, paths_.raw));
        if (FileRow* row = file(event, process, path(event, paths_.name), given))
            ++row->failed;
        return;
    }
    if (!is_file(*fd))
        return;
    FileRow* row = file(event, process, fd->name.view(), fd->raw_name());
    if (row == nullptr)
        return;
    const bool writes = (fd->open_flags & flags::kO_WRONLY) != 0;
    if (writes && ++row->writes == 1)
        step(event, StepKind::write, process, row->path);
    if ((fd->open_flags & flags::kO_RDONLY) != 0)
        ++row->reads;
    if (writes && (fd->open_flags & flags::kO_F_CREATED) != 0)
        row->changes |= bit(FileChange::created);
}

void Summary::take_io(const Event& event, std::uint32_t process) {
    const state::Fd* fd = event.state.current().fd;
    const auto result = event.view.number<std::int64_t>(0);
    if (fd == nullptr || !is_file(*fd) || !result || *result < 0)
        return;
    FileRow* row = file(event, process, fd->name.view(), fd->raw_name());
    if (row == nullptr)
        return;
    const auto bytes = static_cast<std::uint64_t>(*result);
    if ((event.view.info().flags & WRITES_TO_FD) == 0)
        row->bytes_read += bytes;
    else if (row->bytes_written += bytes; row->writes == 0 && ++row->writes == 1)
        step(event, StepKind::write, process, row->path);
}

void Summary::take_change(const Event& event, std::uint32_t process, std::uint32_t changes) {
    for (const auto& [field, raw] :
         {std::pair(paths_.name, paths_.raw), std::pair(paths_.source, kNone),
          std::pair(paths_.target, kNone)}) {
        const std::string whole(path(event, field));
        const std::string given(raw != kNone ? path(event, raw) : whole);
        if (FileRow* row = whole.empty() ? nullptr : file(event, process, whole, given))
            change(event, process, *row, changes);
    }
}

void Summary::take_file(const Event& event, std::uint32_t process) {
    const Effect& effect = effect_of(event.view.info());
    switch (effect.role) {
    case Role::none: return;
    case Role::open: return take_open(event, process);
    case Role::io: return take_io(event, process);
    case Role::path: return take_change(event, process, effect.changes);
    }
}

} // namespace tiercel::report
