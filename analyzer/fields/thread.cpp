// SPDX-License-Identifier: Apache-2.0
//
// Fields of the thread that caused the event.
#include <string>

#include "analyzer/fields/lineage.h"
#include "analyzer/fields/names.h"
#include "analyzer/fields/values.h"

namespace tiercel::filter {
namespace {

using state::Thread;

std::optional<std::int64_t> vtid(const Thread& thread) {
    return thread.vtid >= 0 ? std::optional(thread.vtid) : std::nullopt;
}

void append_permitted(std::string& out, const Thread& thread) {
    append_capabilities(out, thread.cap_permitted);
}
void append_inheritable(std::string& out, const Thread& thread) {
    append_capabilities(out, thread.cap_inheritable);
}
void append_effective(std::string& out, const Thread& thread) {
    append_capabilities(out, thread.cap_effective);
}

std::string name_and_id(const EventContext& event, const Thread& thread) {
    return std::string(thread.comm.view()) + std::to_string(event.event->tid());
}

std::optional<std::string> cgroups(const Thread& thread) {
    if (thread.cgroups.empty())
        return std::nullopt;
    std::string text;
    append_joined(text, thread.cgroups.view());
    return text;
}

Values cgroup(const EventContext& event, const Argument& argument, Value& single) {
    if (event.thread == nullptr)
        return no_value();
    std::optional<std::string_view> found;
    state::for_each_string(event.thread->cgroups.view(), [&](std::string_view text) {
        const std::size_t equals = text.find('=');
        if (equals != std::string_view::npos && text.substr(0, equals) == argument.key)
            found = text.substr(equals + 1);
    });
    return to_values(event, found, single);
}

// Memory is counted for the first thread only, so that a sum over threads is right.
std::uint64_t size_kib(const Thread& thread) {
    return thread.is_leader() ? thread.vm_size : 0;
}
std::uint64_t resident_kib(const Thread& thread) {
    return thread.is_leader() ? thread.vm_rss : 0;
}

// Old captures have CPU times as sums since the process began; the state does not keep differences.
constexpr std::string_view kNoTimes = "Always without a value, because CPU time is not measured.";

constexpr FieldInfo kFields[] = {
    {"thread.tid", kInt64, "Thread id.",
     of_event<[](const EventContext& event) { return event.event->tid(); }>, cost(1)},
    {"thread.vtid", kInt64, "Thread id in its own pid namespace.", of_thread<vtid>, cost(1)},
    {"thread.ismain", kBool, "Whether the thread is the first of its process.",
     of_thread<&Thread::is_leader>, cost(1)},
    {"thread.name", kText, "Name of the thread, which prctl(PR_SET_NAME) changes.",
     of_thread<&Thread::own_name>, cost(1)},
    {"thread.nametid", kText, "Name and id of the thread, joined.", of_thread<name_and_id>},
    {"thread.cap_permitted", kText, "Permitted capabilities.", of_thread<append_permitted>,
     cost(10)},
    {"thread.cap_inheritable", kText, "Inheritable capabilities.", of_thread<append_inheritable>,
     cost(10)},
    {"thread.cap_effective", kText, "Effective capabilities.", of_thread<append_effective>,
     cost(10)},
    {"thread.pfmajor", kUint64, "Page faults that read from disk, since the thread began.",
     of_thread<&Thread::pgft_maj>, cost(1)},
    {"thread.pfminor", kUint64, "Page faults that did not, since the thread began.",
     of_thread<&Thread::pgft_min>, cost(1)},
    {"thread.cgroups", kText, "All cgroups, as subsystem=path.", of_thread<cgroups>, cost(10)},
    {"thread.cgroup", kText, "The cgroup of one subsystem: thread.cgroup.cpuset.", cgroup, kName},
    {"thread.vmsize", kUint64, "Virtual memory in KiB for the first thread; 0 for others.",
     of_thread<size_kib>},
    {"thread.vmrss", kUint64, "Resident memory in KiB for the first thread; 0 for others.",
     of_thread<resident_kib>},
    {"thread.vmsize.b", kUint64, "Virtual memory in bytes for the first thread; 0 for others.",
     of_thread<[](const Thread& thread) { return size_kib(thread) * 1024; }>},
    {"thread.vmrss.b", kUint64, "Resident memory in bytes for the first thread; 0 for others.",
     of_thread<[](const Thread& thread) { return resident_kib(thread) * 1024; }>},
    {"thread.exectime", kRelTime, kNoTimes, never},
    {"thread.totexectime", kRelTime, kNoTimes, never},
    {"thread.cpu", kDouble, kNoTimes, never},
    {"thread.cpu.user", kDouble, kNoTimes, never},
    {"thread.cpu.system", kDouble, kNoTimes, never},
};

} // namespace

std::span<const FieldInfo> thread_fields() {
    return kFields;
}

} // namespace tiercel::filter
