// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
//
// The event table for C++: the names of events, their parameters, and the syscalls that give them.
// It is made from the .def files beside this header. Use it to decode, print or look up events by
// code, and syscalls by name or number.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace tiercel::event {

// The version of the scap event schema that codes, parameter orders and flag values follow.
inline constexpr std::uint64_t kSchemaVersion = (4ULL << 44) | (5ULL << 24) | 1ULL;

enum class ParamType : std::uint8_t {
#define PARAM_TYPE(name, width, doc) name,
#include "shared/event/types.def"
#undef PARAM_TYPE
};

// Bytes that a value of the type takes; 0: as many as the event says.
std::size_t width(ParamType type);
std::string_view type_name(ParamType type);

enum class Format : std::uint8_t { NA, DEC, HEX, OCT };

enum class Category : std::uint8_t {
    UNKNOWN,
    OTHER,
    FILE,
    NET,
    IPC,
    MEMORY,
    PROCESS,
    SLEEP,
    SYSTEM,
    SIGNAL,
    USER,
    TIME,
    IO_READ,
    IO_WRITE,
    IO_OTHER,
    WAIT,
    SCHEDULER,
};
std::string_view category_name(Category category); // as Falco's evt.category prints it

enum class Origin : std::uint8_t { SYSCALL, TRACEPOINT, ITER, METAEVENT, PLUGIN, INTERNAL, OTHER };

enum EventFlags : std::uint16_t {
    CREATES_FD = 1 << 0,
    DESTROYS_FD = 1 << 1,
    USES_FD = 1 << 2,
    READS_FROM_FD = 1 << 3,
    WRITES_TO_FD = 1 << 4,
    MODIFIES_STATE = 1 << 5,
    WAITS = 1 << 6,
    OLD_VERSION = 1 << 7,
    LARGE_PAYLOAD = 1 << 8, // parameter lengths are 32-bit in captures
    UNUSED = 1 << 9,
};

// The printed name of a flag or enumeration value.
struct Flag {
    std::string_view name;
    std::uint32_t value;
};

enum class FlagSet : std::uint8_t {
    none,
#define FLAG_SET(set) set,
#define FLAG(name, value)
#define FLAG_SET_END
#include "shared/event/flags.def"
#undef FLAG_SET
#undef FLAG
#undef FLAG_SET_END
};
std::span<const Flag> flags_of(FlagSet set);
std::string_view flag_set_name(FlagSet set);

// A parameter of type DYN starts with one byte, which selects the type of the rest in one of these
// sets.
enum class DynamicSet : std::uint8_t { none, sockopt, ptrace, bpf, keyctl };
std::optional<ParamType> dynamic_type(DynamicSet set, std::uint8_t kind);

// A directory parameter (dirfd) with this value names the working directory: AT_FDCWD of
// include/uapi/linux/fcntl.h.
inline constexpr std::int64_t kAtFdcwd = -100;

struct ParamInfo {
    std::string_view name;
    ParamType type = ParamType::NONE;
    Format format = Format::NA;
    FlagSet flags = FlagSet::none;
    DynamicSet dynamic = DynamicSet::none;
    std::int8_t dirfd = -1; // FSRELPATH: index of the directory's parameter; -1: none
    bool own = false;       // beyond the scap schema; stands behind the schema's parameters
};

struct EventInfo {
    std::uint16_t code;
    std::string_view symbol; // "SYSCALL_OPENAT_2_X"
    std::string_view name;   // "openat"
    Category category;
    std::uint16_t flags; // EventFlags
    Origin origin;
    bool emitted; // false: only captures contain it
    std::span<const ParamInfo> params;

    // Even codes are enter events of syscalls, and events that are not syscalls.
    bool is_exit() const { return (code & 1) != 0; }
    int find_param(std::string_view param) const; // index, or -1
    // How many parameters the scap schema has; those of our own stand behind them.
    std::size_t schema_params() const;
};

// Codes, by symbol, for code that handles particular events.
enum Code : std::uint16_t {
#define EVENT(code, symbol, ...) symbol = code,
#define OLD_EVENT(code, symbol, ...) symbol = code,
#include "shared/event/events.def"
#include "shared/event/old_events.def"
#undef EVENT
#undef OLD_EVENT
};

// Codes from here on are beyond the scap schema: captures hold the generic event of the syscall
// instead.
inline constexpr std::uint16_t kFirstOwnCode = 1001;

// Every code is below this. find() returns nullptr for a code without a row.
inline constexpr std::uint16_t kCodeLimit = [] {
    std::uint16_t limit = 0;
    for (const std::uint16_t code : {
#define EVENT(code, symbol, ...) symbol,
#define OLD_EVENT(code, symbol, ...) symbol,
#include "shared/event/events.def"
#include "shared/event/old_events.def"
#undef EVENT
#undef OLD_EVENT
         })
        if (code >= limit)
            limit = code + 1;
    return limit;
}();
const EventInfo* find(std::uint16_t code);
std::span<const EventInfo> events(); // emitted events first, each part by code

struct SyscallInfo {
    std::string_view name;
    std::int16_t x86_64; // -1: the architecture does not have it
    std::int16_t i386;
    std::int16_t arm64;
    std::uint16_t scap;      // ID in the generic event; 0: the schema's number is not known
    std::uint16_t event;     // code of its exit event; GENERIC_X if it has none of its own
    std::string_view native; // i386-only calls: the native call whose interest bit covers this one
};
std::span<const SyscallInfo> syscalls();
const SyscallInfo* find_syscall(std::string_view name);
const SyscallInfo* find_syscall_by_scap(std::uint16_t scap);
const SyscallInfo*
find_syscall_by_number(int native); // a number of the machine that this is built for

// The number of `call` on the machine that this is built for; -1: none.
int native_number(const SyscallInfo& call);

// An event that a driver cannot give (gaps.def). Drivers give all other emitted events.
struct Gap {
    std::string_view driver;
    std::uint16_t event;
    std::string_view reason;
};
std::span<const Gap> gaps();

} // namespace tiercel::event
