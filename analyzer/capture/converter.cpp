// SPDX-License-Identifier: Apache-2.0
//
// Implements Converter: the tables of successors and renamed parameters, and the rebuilding of
// events.
#include "analyzer/capture/converter.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace tiercel::capture {
namespace {

using namespace event;

struct Successor {
    std::uint16_t old;
    std::uint16_t current;
};
constexpr Successor kSuccessors[] = {
    {SYSCALL_BRK_1_X, SYSCALL_BRK_4_X},         {SYSCALL_EXECVE_8_X, SYSCALL_EXECVE_19_X},
    {SYSCALL_EXECVE_13_X, SYSCALL_EXECVE_19_X}, {SYSCALL_EXECVE_14_X, SYSCALL_EXECVE_19_X},
    {SYSCALL_EXECVE_15_X, SYSCALL_EXECVE_19_X}, {SYSCALL_EXECVE_16_X, SYSCALL_EXECVE_19_X},
    {SYSCALL_EXECVE_17_X, SYSCALL_EXECVE_19_X}, {SYSCALL_EXECVE_18_X, SYSCALL_EXECVE_19_X},
    {SYSCALL_CLONE_11_X, SYSCALL_CLONE_20_X},   {SYSCALL_CLONE_16_X, SYSCALL_CLONE_20_X},
    {SYSCALL_CLONE_17_X, SYSCALL_CLONE_20_X},   {SYSCALL_FORK_X, SYSCALL_FORK_20_X},
    {SYSCALL_FORK_17_X, SYSCALL_FORK_20_X},     {SYSCALL_VFORK_X, SYSCALL_VFORK_20_X},
    {SYSCALL_VFORK_17_X, SYSCALL_VFORK_20_X},   {SOCKET_ACCEPT_X, SOCKET_ACCEPT_5_X},
    {SOCKET_ACCEPT4_X, SOCKET_ACCEPT4_6_X},     {SOCKET_ACCEPT4_5_X, SOCKET_ACCEPT4_6_X},
    {SYSCALL_NEWSELECT_X, SYSCALL_SELECT_X},    {SYSCALL_IOCTL_2_X, SYSCALL_IOCTL_3_X},
    {SYSCALL_MKDIR_X, SYSCALL_MKDIR_2_X},       {SYSCALL_RMDIR_X, SYSCALL_RMDIR_2_X},
    {SYSCALL_OPENAT_X, SYSCALL_OPENAT_2_X},     {SYSCALL_LINK_X, SYSCALL_LINK_2_X},
    {SYSCALL_LINKAT_X, SYSCALL_LINKAT_2_X},     {SYSCALL_UNLINK_X, SYSCALL_UNLINK_2_X},
    {SYSCALL_UNLINKAT_X, SYSCALL_UNLINKAT_2_X}, {SYSCALL_DUP_X, SYSCALL_DUP_1_X},
    {SYSCALL_UMOUNT_X, SYSCALL_UMOUNT_1_X},     {SYSCALL_BPF_X, SYSCALL_BPF_2_X},
    {SCHEDSWITCH_1_E, SCHEDSWITCH_6_E},         {PROCEXIT_E, PROCEXIT_1_E},
};

// Parameters with another name in the enter event or in the old version.
struct Renamed {
    std::uint16_t current;
    std::string_view name;
    std::string_view old_name;
};
constexpr Renamed kRenamed[] = {
    {SYSCALL_DUP_1_X, "oldfd", "fd"},
    {SYSCALL_BPF_2_X, "fd", "res_or_fd"},
};

// Parameters that become zero if the old event lacks them, because their readers expect a number.
struct Zero {
    std::uint16_t current;
    std::string_view name;
};
constexpr Zero kZero[] = {
    {SOCKET_ACCEPT_5_X, "queuelen"},  {SOCKET_ACCEPT_5_X, "queuemax"},
    {SOCKET_ACCEPT4_6_X, "queuelen"}, {SOCKET_ACCEPT4_6_X, "queuemax"},
    {SYSCALL_SECCOMP_X, "flags"},     {SOCKET_SOCKET_X, "flags"},
    {SOCKET_SENDMMSG_X, "res"},       {SOCKET_RECVMMSG_X, "res"},
    {SYSCALL_FCNTL_X, "arg"},
};

// Old versions of these had no parameters. They stay without, as in Falco.
constexpr std::uint16_t kLeftShort[] = {SOCKET_SETSOCKOPT_X, SOCKET_GETSOCKOPT_X};

const EventInfo* successor_of(const EventInfo& info) {
    static const auto kTable = [] {
        std::array<const EventInfo*, kCodeLimit> made{};
        for (const EventInfo& each : events())
            made[each.code] = &each;
        for (const Successor& row : kSuccessors)
            made[row.old] = find(row.current);
        return made;
    }();
    return kTable[info.code];
}

// Whether an enter event is kept as an event, because it has arguments that the process could
// change later.
bool is_kept_enter(const EventInfo& info) {
    return (info.flags & OLD_VERSION) == 0;
}

bool is_zero(std::uint16_t code, std::string_view name) {
    return std::ranges::any_of(
        kZero, [&](const Zero& row) { return row.current == code && row.name == name; });
}

std::string_view old_name_of(std::uint16_t code, std::string_view name) {
    for (const Renamed& row : kRenamed)
        if (row.current == code && row.name == name)
            return row.old_name;
    return name;
}

// The value of the parameter of `from` that has the name of `param`, or nothing.
std::optional<Bytes> look_up(const EventView& from, std::uint16_t target, const ParamInfo& param) {
    int index = from.info().find_param(param.name);
    if (index < 0)
        index = from.info().find_param(old_name_of(target, param.name));
    if (index < 0 || static_cast<std::uint32_t>(index) >= from.nparams())
        return std::nullopt;
    Bytes value = from.param(static_cast<std::uint32_t>(index));
    // Some became narrower (bpf's command). Events are little-endian, so the low bytes come first.
    const std::size_t width = event::width(param.type);
    if (width != 0 && value.size() > width)
        value = value.first(width);
    return value;
}

} // namespace

std::optional<EventView> Converter::last_enter(const EventView& exit) {
    std::vector<std::byte>* kept = enters_.find(exit.tid());
    if (kept == nullptr || kept->empty())
        return std::nullopt;
    auto enter = EventView::parse(*kept);
    // The enter event may have another version than the exit event of the same syscall.
    if (enter && enter->code() + 1 != exit.code() && enter->info().name != exit.info().name)
        enter.reset();
    return enter;
}

std::optional<EventView> Converter::rebuild(const EventView& old, const EventInfo& target,
                                            const EventView* enter) {
    static constexpr std::array<std::byte, 8> kZeros{};
    const auto count = static_cast<std::uint32_t>(target.params.size());
    built_.resize(sizeof(Header) + count * sizeof(std::uint16_t));
    for (std::uint32_t i = 0; i < count; ++i) {
        const ParamInfo& param = target.params[i];
        Bytes value;
        if (&target == &old.info() && i < old.nparams())
            value = old.param(i);
        else if (auto found = look_up(old, target.code, param))
            value = *found;
        else if (auto entered =
                     enter != nullptr ? look_up(*enter, target.code, param) : std::nullopt)
            value = *entered;
        else if (is_zero(target.code, param.name))
            value = Bytes(kZeros).first(event::width(param.type));
        const auto length =
            static_cast<std::uint16_t>(std::min<std::size_t>(value.size(), UINT16_MAX));
        std::memcpy(built_.data() + sizeof(Header) + i * sizeof length, &length, sizeof length);
        built_.insert(built_.end(), value.begin(), value.begin() + length);
    }
    const Header header{old.ts(), old.raw_tid(), static_cast<std::uint32_t>(built_.size()),
                        target.code, count};
    std::memcpy(built_.data(), &header, sizeof header);
    return EventView::parse(built_);
}

bool Converter::is_current(const EventView& event) {
    const EventInfo& info = event.info();
    const bool is_enter = info.origin == Origin::SYSCALL && !info.is_exit();
    return !is_enter && successor_of(info) == &info &&
           (event.nparams() >= info.schema_params() || !info.is_exit() ||
            (info.flags & LARGE_PAYLOAD) != 0 ||
            std::ranges::find(kLeftShort, info.code) != std::end(kLeftShort));
}

std::optional<EventView> Converter::convert(const EventView& event) {
    const EventInfo& info = event.info();
    const EventInfo& target = *successor_of(info);
    if (info.origin != Origin::SYSCALL || info.is_exit()) {
        if (is_current(event))
            return event;
        const auto enter = info.is_exit() ? last_enter(event) : std::nullopt;
        return rebuild(event, target, enter ? &*enter : nullptr);
    }
    // An enter event.
    if ((enters_.find(event.tid()) == nullptr && enters_.size() >= kMaxPending) ||
        enter_bytes_ > kMostBytes) {
        enters_.clear();
        enter_bytes_ = 0;
    }
    std::vector<std::byte>& kept = enters_[event.tid()];
    enter_bytes_ += event.size();
    enter_bytes_ -= kept.size();
    kept.assign(event.bytes().begin(), event.bytes().end());
    if (!is_kept_enter(info))
        return std::nullopt;
    if (event.nparams() >= info.params.size())
        return event;
    return rebuild(event, info, nullptr);
}

} // namespace tiercel::capture
