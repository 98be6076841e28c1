// SPDX-License-Identifier: Apache-2.0
#include "analyzer/match/event_kind.h"

#include <algorithm>
#include <vector>

namespace tiercel::filter {

namespace {

// The generic kinds by the two numbers that an event may give.
struct GenericKinds {
    std::vector<EventKind> by_scap;
    std::vector<EventKind> by_native;
};

void put(std::vector<EventKind>& kinds, std::size_t number, EventKind kind) {
    if (kinds.size() <= number)
        kinds.resize(number + 1, kUnknownKind);
    if (kinds[number] == kUnknownKind)
        kinds[number] = kind;
}

const GenericKinds& generic_kinds() {
    static const GenericKinds kKinds = [] {
        GenericKinds made;
        EventKind kind = event::kCodeLimit;
        for (const event::SyscallInfo& call : event::syscalls()) {
            if (call.scap != 0)
                put(made.by_scap, call.scap, kind);
            const int native = event::native_number(call);
            if (native >= 0)
                put(made.by_native, static_cast<std::size_t>(native), kind);
            ++kind;
        }
        return made;
    }();
    return kKinds;
}

} // namespace

EventKind kind_count() {
    return event::kCodeLimit + static_cast<EventKind>(event::syscalls().size());
}

EventKind kind_of(const event::EventView& event) {
    if (event.code() != event::GENERIC_X)
        return event.code();
    const GenericKinds& kinds = generic_kinds();
    const std::uint16_t scap = event.number<std::uint16_t>(0).value_or(0);
    if (scap != 0)
        return scap < kinds.by_scap.size() ? kinds.by_scap[scap] : kUnknownKind;
    const std::uint16_t native = event.number<std::uint16_t>(1).value_or(UINT16_MAX);
    return native < kinds.by_native.size() ? kinds.by_native[native] : kUnknownKind;
}

const event::SyscallInfo* kind_syscall(EventKind kind) {
    if (kind < event::kCodeLimit || kind >= kind_count())
        return nullptr;
    return &event::syscalls()[kind - event::kCodeLimit];
}

std::string_view kind_name(EventKind kind) {
    if (kind >= event::kCodeLimit) {
        const event::SyscallInfo* call = kind_syscall(kind);
        return call != nullptr ? call->name : std::string_view();
    }
    const event::EventInfo* info = event::find(static_cast<std::uint16_t>(kind));
    if (info == nullptr || kind <= kUnknownKind)
        return {};
    const bool enter = info->origin == event::Origin::SYSCALL && !info->is_exit();
    return enter ? std::string_view() : info->name;
}

bool is_event_type(std::string_view name) {
    const auto events = event::events();
    return std::any_of(events.begin(), events.end(),
                       [name](const event::EventInfo& info) { return info.name == name; }) ||
           event::find_syscall(name) != nullptr;
}

} // namespace tiercel::filter
