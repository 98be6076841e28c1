// SPDX-License-Identifier: Apache-2.0
#include "analyzer/setup/interest.h"

#include <algorithm>

#include "analyzer/match/interest.h"
#include "analyzer/state/state_tracker.h"
#include "kernel/common/abi.h"

namespace tiercel::app {

int interest_number(const event::SyscallInfo& call) {
    if (!call.native.empty())
        if (const auto* native = event::find_syscall(call.native))
            return event::native_number(*native);
    return event::native_number(call);
}

void Interest::add(const event::SyscallInfo& call) {
    if (const int number = interest_number(call); number >= 0)
        natives_.set(static_cast<std::size_t>(number));
}

void Interest::remove(const event::SyscallInfo& call) {
    if (const int number = interest_number(call); number >= 0)
        natives_.reset(static_cast<std::size_t>(number));
}

void Interest::add_state() {
    for (const event::SyscallInfo& call : event::syscalls())
        if (call.event != event::GENERIC_X && state::lives_on(call.event))
            add(call);
}

void Interest::add_tracepoints(const filter::Interest& wanted) {
    static constexpr std::pair<std::uint16_t, std::uint32_t> kTracepoints[] = {
        {event::SIGNALDELIVER_E, TIERCEL_TP_SIGNAL},
        {event::SCHEDSWITCH_6_E, TIERCEL_TP_SWITCH},
        {event::PAGE_FAULT_E, TIERCEL_TP_PAGE_FAULT}};
    for (const auto& [code, tracepoint] : kTracepoints)
        if (wanted.named[code])
            tracepoints_ |= tracepoint;
}

void Interest::store(wire::Request& request) const {
    request.tracepoints |= tracepoints_;
    for (std::size_t bit = 0; bit < natives_.size(); ++bit)
        if (natives_[bit])
            request.interest[bit / 64] |= 1ULL << (bit % 64);
}

namespace {

// A recording alone has every system call. Beside rules it has the system calls of the rules.
void add_everything(Interest& interest) {
    for (const event::SyscallInfo& call : event::syscalls())
        interest.add(call);
}

// Adds the system calls named by --syscalls that --filter can match. With neither option, adds
// every system call.
void add_shown(Interest& interest, const Config& config, const Detection& detection) {
    std::vector<const event::SyscallInfo*> calls;
    if (detection.filter) {
        const filter::Interest wanted = filter::interest_of(detection.filter->program());
        calls = wanted.syscalls;
        interest.add_tracepoints(wanted);
    } else
        for (const event::SyscallInfo& call : event::syscalls())
            calls.push_back(&call);
    for (const event::SyscallInfo* call : calls)
        if (config.syscalls.empty() ||
            std::ranges::find(config.syscalls, call->name) != config.syscalls.end())
            interest.add(*call);
}

// Adds the calls that change files by their paths. The tables need the calls on processes, opens
// and connections anyway.
void add_files(Interest& interest) {
    for (const event::SyscallInfo& call : event::syscalls())
        if (const auto* info = event::find(call.event);
            info != nullptr && info->category == event::Category::FILE)
            interest.add(call);
}

// Returns true if the top page counts every event: without rules, or without the kernel filter.
// Otherwise it counts the events that a session with these rules takes.
bool counts_everything(const Config& config, const Detection& detection) {
    return config.top && (!detection.rules || !config.settings.kernel_filter);
}

} // namespace

Interest interest_of(const Config& config, const Detection& detection) {
    Interest interest;
    const config::Settings& settings = config.settings;
    if (settings.base_syscalls.empty() || settings.repair_base_syscalls)
        interest.add_state();
    if (config.events || counts_everything(config, detection))
        add_shown(interest, config, detection);
    else if (config.gathers())
        add_files(interest);
    else if (!config.record.empty() && !detection.rules)
        add_everything(interest);
    if (detection.rules) {
        for (const event::SyscallInfo* call : detection.rules->interest.syscalls)
            interest.add(*call);
        interest.add_tracepoints(detection.rules->interest);
    }
    for (const std::string& name : settings.base_syscalls) {
        const bool out = name.starts_with('!');
        if (const auto* call = event::find_syscall(std::string_view(name).substr(out ? 1 : 0)))
            out ? interest.remove(*call) : interest.add(*call);
    }
    return interest;
}

namespace {

// Returns why the session needs more events than the rules and the tables; "" if it does not.
std::string_view needs_all_events(const Config& config) {
    if (!config.settings.kernel_filter)
        return "it is switched off";
    if (config.events)
        return "events are printed";
    if (config.gathers())
        return "a report, a tree or a timeline is made";
    if (!config.record.empty() || config.settings.capture_enabled)
        return "events are recorded";
    return {};
}

} // namespace

prefilter::Compiled kernel_filter(const Config& config, const Detection& detection) {
    const config::Settings& settings = config.settings;
    std::bitset<event::kCodeLimit> always;
    for (const std::string& name : settings.base_syscalls)
        if (const auto* call = event::find_syscall(name))
            always.set(call->event);
    const bool state = settings.base_syscalls.empty() || settings.repair_base_syscalls;
    auto compiled = prefilter::compile(*detection.rules, detection.fields, state, always);
    if (const std::string_view why = needs_all_events(config); !why.empty()) {
        compiled.off = why;
        compiled.filter = {};
    }
    return compiled;
}

namespace {

// Removes the calls of which none passes, so that the probe need not look at them. Calls of several
// kinds can share a number.
void remove_filtered(Interest& interest, const prefilter::Compiled& filter) {
    std::bitset<event::kCodeLimit> never;
    for (const prefilter::Wish& wish : filter.wishes)
        never[wish.code] = wish.passes.empty();
    std::bitset<64 * wire::kInterestWords> kept;
    for (const bool removes : {false, true})
        for (const event::SyscallInfo& call : event::syscalls()) {
            const int number = interest_number(call);
            if (number < 0)
                continue;
            if (!removes)
                kept[static_cast<std::size_t>(number)] =
                    kept[static_cast<std::size_t>(number)] || !never[call.event];
            else if (!kept[static_cast<std::size_t>(number)])
                interest.remove(call);
        }
}

} // namespace

void complete(wire::Request& request, const Config& config, const Detection& detection) {
    Interest interest = interest_of(config, detection);
    if (detection.rules && needs_all_events(config).empty()) {
        const prefilter::Compiled filter = kernel_filter(config, detection);
        request.filter = filter.filter;
        if (filter.off.empty())
            remove_filtered(interest, filter);
    }
    interest.store(request);
}

} // namespace tiercel::app
