// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
#include "shared/event/table.h"

#include <algorithm>
#include <array>

namespace tiercel::event {
namespace {

struct TypeRow {
    std::string_view name;
    std::size_t width;
};
constexpr TypeRow kTypes[] = {
#define PARAM_TYPE(name, width, doc) {#name, width},
#include "shared/event/types.def"
#undef PARAM_TYPE
};

constexpr std::string_view kCategories[] = {
    "unknown", "other", "file", "net",     "ipc",      "memory",   "process", "sleep",    "system",
    "signal",  "user",  "time", "io_read", "io_write", "io_other", "wait",    "scheduler"};

#define FLAG_SET(set) constexpr Flag kFlags_##set[] = {
#define FLAG(name, value) {#name, value},
#define FLAG_SET_END                                                                               \
    }                                                                                              \
    ;
#include "shared/event/flags.def"
#undef FLAG_SET
#undef FLAG
#undef FLAG_SET_END

struct FlagSetRow {
    std::string_view name;
    std::span<const Flag> flags;
};
constexpr FlagSetRow kFlagSets[] = {
    {"none", {}},
#define FLAG_SET(set) {#set, kFlags_##set},
#define FLAG(name, value)
#define FLAG_SET_END
#include "shared/event/flags.def"
#undef FLAG_SET
#undef FLAG
#undef FLAG_SET_END
};

// The possible values of a parameter's `info` column.
struct Info {
    FlagSet flags = FlagSet::none;
    DynamicSet dynamic = DynamicSet::none;
    std::int8_t dirfd = -1;
};
namespace info {
constexpr Info kNone{};
constexpr Info kSockoptDynamicParam{FlagSet::none, DynamicSet::sockopt, -1};
constexpr Info kPtraceDynamicParam{FlagSet::none, DynamicSet::ptrace, -1};
constexpr Info kBpfDynamicParam{FlagSet::none, DynamicSet::bpf, -1};
constexpr Info kKeyctlDynamicParam{FlagSet::none, DynamicSet::keyctl, -1};
constexpr Info dirfd(std::int8_t index) {
    return {FlagSet::none, DynamicSet::none, index};
}
#define FLAG_SET(set) constexpr Info set{FlagSet::set, DynamicSet::none, -1};
#define FLAG(name, value)
#define FLAG_SET_END
#include "shared/event/flags.def"
#undef FLAG_SET
#undef FLAG
#undef FLAG_SET_END
} // namespace info

constexpr ParamInfo param(std::string_view name, ParamType type, Format format, Info info,
                          bool own = false) {
    return {name, type, format, info.flags, info.dynamic, info.dirfd, own};
}

// Each event's parameters, after one unused element: a C++ array cannot be empty.
#define P(name, type, format, the_info, ...)                                                       \
    param(#name, ParamType::type, Format::format, info::the_info)
#define OWN(name, type, ...) param(#name, ParamType::type, Format::NA, info::kNone, true)
#define EVENT(code, symbol, name, category, flags, source, ...)                                    \
    constexpr ParamInfo kParams_##symbol[] = {{} __VA_OPT__(, ) __VA_ARGS__};
#define OLD_EVENT(code, symbol, name, category, flags, origin, ...)                                \
    constexpr ParamInfo kParams_##symbol[] = {{} __VA_OPT__(, ) __VA_ARGS__};
#include "shared/event/events.def"
#include "shared/event/old_events.def"
#undef EVENT
#undef OLD_EVENT
#undef P
#undef OWN

// The possible values of an emitted event's `source` column.
struct Source {
    Origin origin;
    std::string_view syscalls[4] = {};
};
#define SYSCALLS1(a)                                                                               \
    Source {                                                                                       \
        Origin::SYSCALL, {                                                                         \
#a                                                                                     \
        }                                                                                          \
    }
#define SYSCALLS2(a, b)                                                                            \
    Source {                                                                                       \
        Origin::SYSCALL, {                                                                         \
#a, #b                                                                                 \
        }                                                                                          \
    }
#define SYSCALLS3(a, b, c)                                                                         \
    Source {                                                                                       \
        Origin::SYSCALL, {                                                                         \
#a, #b, #c                                                                             \
        }                                                                                          \
    }
#define SYSCALLS4(a, b, c, d)                                                                      \
    Source {                                                                                       \
        Origin::SYSCALL, {                                                                         \
#a, #b, #c, #d                                                                         \
        }                                                                                          \
    }
#define EVERY_OTHER_SYSCALL                                                                        \
    Source {                                                                                       \
        Origin::SYSCALL                                                                            \
    }
#define TRACEPOINT(name)                                                                           \
    Source {                                                                                       \
        Origin::TRACEPOINT                                                                         \
    }
#define ITERATOR(name)                                                                             \
    Source {                                                                                       \
        Origin::ITER                                                                               \
    }
constexpr Source kSources[] = {
#define EVENT(code, symbol, name, category, flags, source, ...) source,
#include "shared/event/events.def"
#undef EVENT
};
constexpr EventInfo kEvents[] = {
#define EVENT(code, symbol, name, category, flags, source, ...)                                    \
    {code,  #symbol,         name, Category::category,                                             \
     flags, (source).origin, true, std::span(kParams_##symbol).subspan(1)},
#define OLD_EVENT(code, symbol, name, category, flags, origin, ...)                                \
    {code,  #symbol,        name,  Category::category,                                             \
     flags, Origin::origin, false, std::span(kParams_##symbol).subspan(1)},
#include "shared/event/events.def"
#include "shared/event/old_events.def"
#undef EVENT
#undef OLD_EVENT
};
#undef SYSCALLS1
#undef SYSCALLS2
#undef SYSCALLS3
#undef SYSCALLS4
#undef EVERY_OTHER_SYSCALL
#undef TRACEPOINT
#undef ITERATOR

constexpr std::uint16_t kNoEvent = 0xffff;
constexpr auto kIndexByCode = [] {
    std::array<std::uint16_t, kCodeLimit> index{};
    index.fill(kNoEvent);
    for (std::size_t i = 0; i < std::size(kEvents); ++i)
        index[kEvents[i].code] = static_cast<std::uint16_t>(i);
    return index;
}();

// kSources and the emitted events have the same order, that of events.def.
constexpr std::uint16_t event_of(std::string_view syscall) {
    for (std::size_t i = 0; i < std::size(kSources); ++i)
        for (std::string_view name : kSources[i].syscalls)
            if (name == syscall)
                return kEvents[i].code;
    return GENERIC_X;
}

struct SyscallRow {
    std::string_view name;
    std::int16_t x86_64, i386, arm64;
    std::uint16_t scap;
    std::string_view native;
};
constexpr SyscallRow kSyscallRows[] = {
#define SYSCALL(name, x86_64, i386, arm64, scap) {#name, x86_64, i386, arm64, scap, {}},
#define SYSCALL_COMPAT(name, i386, native, scap) {#name, -1, i386, -1, scap, #native},
#define SYSCALL_X32(native, x32)
#include "shared/event/syscalls.def"
#undef SYSCALL
#undef SYSCALL_COMPAT
#undef SYSCALL_X32
};

// Built on first use, because 170,000 name comparisons exceed compilers' limits of constant
// evaluation.
const auto& syscall_table() {
    static const auto kTable = [] {
        std::array<SyscallInfo, std::size(kSyscallRows)> rows{};
        for (std::size_t i = 0; i < rows.size(); ++i) {
            const SyscallRow& row = kSyscallRows[i];
            rows[i] = {row.name, row.x86_64,         row.i386,  row.arm64,
                       row.scap, event_of(row.name), row.native};
        }
        return rows;
    }();
    return kTable;
}

} // namespace

std::size_t width(ParamType type) {
    return kTypes[static_cast<std::size_t>(type)].width;
}

std::string_view type_name(ParamType type) {
    return kTypes[static_cast<std::size_t>(type)].name;
}

std::string_view category_name(Category category) {
    return kCategories[static_cast<std::size_t>(category)];
}

std::span<const Flag> flags_of(FlagSet set) {
    return kFlagSets[static_cast<std::size_t>(set)].flags;
}

std::string_view flag_set_name(FlagSet set) {
    return kFlagSets[static_cast<std::size_t>(set)].name;
}

std::optional<ParamType> dynamic_type(DynamicSet set, std::uint8_t kind) {
    using enum ParamType;
    static constexpr ParamType kSockopt[] = {BYTEBUF, ERRNO, UINT32, UINT64, RELTIME};
    static constexpr ParamType kPtrace[] = {UINT64, SIGTYPE};
    static constexpr ParamType kBpf[] = {FD, ERRNO};
    static constexpr ParamType kKeyctl[] = {INT64, CHARBUF};
    static constexpr std::span<const ParamType> kSets[] = {{}, kSockopt, kPtrace, kBpf, kKeyctl};
    const auto kinds = kSets[static_cast<std::size_t>(set)];
    if (kind >= kinds.size())
        return std::nullopt;
    return kinds[kind];
}

int EventInfo::find_param(std::string_view param) const {
    for (std::size_t i = 0; i < params.size(); ++i)
        if (params[i].name == param)
            return static_cast<int>(i);
    return -1;
}

std::size_t EventInfo::schema_params() const {
    std::size_t count = params.size();
    while (count > 0 && params[count - 1].own)
        --count;
    return count;
}

const EventInfo* find(std::uint16_t code) {
    if (code >= kCodeLimit || kIndexByCode[code] == kNoEvent)
        return nullptr;
    return &kEvents[kIndexByCode[code]];
}

std::span<const EventInfo> events() {
    return kEvents;
}

std::span<const SyscallInfo> syscalls() {
    return syscall_table();
}

const SyscallInfo* find_syscall(std::string_view name) {
    const auto found = std::ranges::find(syscall_table(), name, &SyscallInfo::name);
    return found == syscall_table().end() ? nullptr : &*found;
}

const SyscallInfo* find_syscall_by_scap(std::uint16_t scap) {
    if (scap == 0)
        return nullptr;
    const auto found = std::ranges::find(syscall_table(), scap, &SyscallInfo::scap);
    return found == syscall_table().end() ? nullptr : &*found;
}

int native_number(const SyscallInfo& call) {
#if defined(__aarch64__)
    return call.arm64;
#else
    return call.x86_64;
#endif
}

const SyscallInfo* find_syscall_by_number(int native) {
    if (native < 0)
        return nullptr;
    const auto found = std::ranges::find(syscall_table(), native, native_number);
    return found == syscall_table().end() ? nullptr : &*found;
}

namespace {

constexpr Gap kGaps[] = {
#define GAP(driver, symbol, reason) {#driver, symbol, reason},
#include "shared/event/gaps.def"
#undef GAP
};

} // namespace

std::span<const Gap> gaps() {
    return kGaps;
}

} // namespace tiercel::event
