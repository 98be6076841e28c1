// SPDX-License-Identifier: Apache-2.0
//
// Fields of the program that the process runs.
#include "analyzer/fields/lineage.h"
#include "analyzer/fields/values.h"

namespace tiercel::filter {
namespace {

using state::Thread;

template <Thread::ExeFlags flag>
bool exe_flag(const Thread& thread) {
    return thread.has(flag);
}

std::optional<std::uint64_t> namespace_to_change(const Thread& thread) {
    if (thread.pidns_start_ts == 0 || thread.exe_ctime <= thread.pidns_start_ts)
        return std::nullopt;
    return thread.exe_ctime - thread.pidns_start_ts;
}

constexpr FieldInfo kFields[] = {
    {"proc.exe", kText, "First argument of the command line, which is usually the program's name.",
     of_thread<&Thread::exe>, cost(1)},
    {"proc.exepath", kText, "Whole path of the program.", of_thread<exe_path>, cost(1)},
    {"proc.is_exe_writable", kBool, "Whether the process's user may write to the program's file.",
     of_thread<exe_flag<Thread::exe_writable>>, cost(1)},
    {"proc.is_exe_upper_layer", kBool,
     "Whether the program's file is in the upper layer of an overlay.",
     of_thread<exe_flag<Thread::exe_upper_layer>>, cost(1)},
    {"proc.is_exe_lower_layer", kBool,
     "Whether the program's file is in the lower layer of an overlay.",
     of_thread<exe_flag<Thread::exe_lower_layer>>, cost(1)},
    {"proc.is_exe_from_memfd", kBool, "Whether the program was in memory only (memfd_create).",
     of_thread<exe_flag<Thread::exe_from_memfd>>, cost(1)},
    {"proc.exe_ino", kInt64, "Inode of the program's file.",
     of_thread<[](const Thread& thread) { return known(thread.exe_ino); }>, cost(1)},
    {"proc.exe_ino.ctime", kAbsTime,
     "Time when the program's inode last changed, ns since the epoch.",
     of_thread<[](const Thread& thread) { return known(thread.exe_ctime); }>, cost(1)},
    {"proc.exe_ino.mtime", kAbsTime,
     "Time when the program's file was last written, ns since the epoch.",
     of_thread<[](const Thread& thread) { return known(thread.exe_mtime); }>, cost(1)},
    {"proc.exe_ino.ctime_duration_proc_start", kAbsTime,
     "From the last change of the program's inode to the start of the process, in ns.",
     of_thread<[](const Thread& thread) { return known(thread.exe_ctime_to_clone); }>, cost(1)},
    {"proc.exe_ino.ctime_duration_pidns_start", kAbsTime,
     "From the start of the pid namespace to the last change of the program's inode, in ns.",
     of_thread<namespace_to_change>, cost(1)},
};

} // namespace

std::span<const FieldInfo> executable_fields() {
    return kFields;
}

} // namespace tiercel::filter
