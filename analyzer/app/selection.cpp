// SPDX-License-Identifier: Apache-2.0
#include "analyzer/app/selection.h"

#include "analyzer/filter/suggest.h"

namespace tiercel::app {

namespace {

// Whether thread and fd tables live on this call.
bool keeps_state(const event::SyscallInfo& call) {
    const event::EventInfo* info = event::find(call.event);
    constexpr unsigned kState = event::MODIFIES_STATE | event::CREATES_FD | event::DESTROYS_FD;
    return call.event != event::GENERIC_X && info != nullptr && (info->flags & kState) != 0;
}

// i386-only calls are captured through a native call's bit.
int number_of(const event::SyscallInfo& call) {
    if (!call.native.empty())
        if (const auto* native = event::find_syscall(call.native))
            return event::native_number(*native);
    return event::native_number(call);
}

} // namespace

std::vector<std::string> split_list(std::string_view text) {
    std::vector<std::string> parts;
    while (!text.empty()) {
        const std::size_t comma = text.find(',');
        std::string_view part = text.substr(0, comma);
        while (part.starts_with(' '))
            part.remove_prefix(1);
        while (part.ends_with(' '))
            part.remove_suffix(1);
        if (!part.empty())
            parts.emplace_back(part);
        text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
    }
    return parts;
}

std::optional<std::string> check_syscall(std::string_view name) {
    if (const auto* call = event::find_syscall(name)) {
        if (number_of(*call) >= 0)
            return {};
        return "this machine has no system call '" + std::string(name) + "'";
    }
    filter::Suggestion nearest(name);
    for (const event::SyscallInfo& call : event::syscalls())
        nearest.consider(call.name);
    const std::string hint = nearest.hint();
    return "there is no system call '" + std::string(name) + "'" +
           (hint.empty() ? "" : "; " + hint);
}

Selection::Selection(std::span<const std::string> names) : everything_(names.empty()) {
    for (const event::SyscallInfo& call : event::syscalls()) {
        bool asked = everything_;
        for (const std::string& name : names)
            asked = asked || call.name == name;
        const int number = number_of(call);
        if (!asked || number < 0)
            continue;
        natives_.set(static_cast<std::size_t>(number));
        if (call.event == event::GENERIC_X)
            generic_.set(call.scap);
        else
            codes_.set(call.event);
    }
}

void Selection::set_interest(wire::Request& request) const {
    for (const event::SyscallInfo& call : event::syscalls()) {
        const int number = number_of(call);
        if (number < 0 || !(natives_.test(static_cast<std::size_t>(number)) || keeps_state(call)))
            continue;
        const auto bit = static_cast<std::size_t>(number);
        request.interest[bit / 64] |= 1ULL << (bit % 64);
    }
}

bool Selection::shows(const event::EventView& event) const {
    if (everything_)
        return true;
    if (event.code() != event::GENERIC_X)
        return codes_.test(event.code());
    const auto scap = event.number<std::uint16_t>(0);
    return scap && *scap < generic_.size() && generic_.test(*scap);
}

} // namespace tiercel::app
