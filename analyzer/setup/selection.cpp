// SPDX-License-Identifier: Apache-2.0
#include "analyzer/setup/selection.h"

#include "analyzer/language/suggest.h"
#include "analyzer/setup/interest.h"

namespace tiercel::app {

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
        if (interest_number(*call) >= 0)
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
        if (!asked || interest_number(call) < 0)
            continue;
        if (call.event == event::GENERIC_X)
            generic_.set(call.scap);
        else
            codes_.set(call.event);
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
