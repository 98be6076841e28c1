// SPDX-License-Identifier: Apache-2.0
//
// The words of field tables: types, options and the ways in which a row gets its value
//
//     {"proc.vpid", kInt64, "Process id in its own pid namespace.", of_thread<known_vpid>,
//     cost(1)},
//     {"proc.is_sid_leader", kBool, "Whether the process leads its session.",
//      of_thread<[](const Thread& thread) { return thread.sid == thread.vpid; }>, cost(1)},
//
// of_thread, of_fd and of_event take a getter: a pointer to a member, or a function. A getter gets
// the thread, the fd or the EventContext and returns a number, a bool, a text, or an optional of
// these, where nothing means that the field has no value. A getter that builds a text has the form
// void(std::string& out, const Thread&). A getter that needs the event besides has the event first:
// (const EventContext&, const Thread&).
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>

#include "analyzer/fields/fields.h"

namespace tiercel::filter {

// Types, with the names that Falco's documentation has for them.
inline constexpr FieldType kText{"CHARBUF", ValueType::text};
inline constexpr FieldType kTexts{"LIST(CHARBUF)", ValueType::text};
inline constexpr FieldType kBytes{"BYTEBUF", ValueType::bytes};
inline constexpr FieldType kDynamic{"DYNAMIC", ValueType::bytes};
inline constexpr FieldType kBool{"BOOL", ValueType::boolean};
inline constexpr FieldType kInt16{"INT16", ValueType::signed_number};
inline constexpr FieldType kInt64{"INT64", ValueType::signed_number};
inline constexpr FieldType kDevice{"INT32", ValueType::unsigned_number, 32};
inline constexpr FieldType kUint32{"UINT32", ValueType::unsigned_number, 32};
inline constexpr FieldType kUint64{"UINT64", ValueType::unsigned_number};
inline constexpr FieldType kPort{"PORT", ValueType::unsigned_number, 16};
inline constexpr FieldType kRelTime{"RELTIME", ValueType::unsigned_number}; // ns
inline constexpr FieldType kAbsTime{"ABSTIME", ValueType::unsigned_number}; // ns since the epoch
inline constexpr FieldType kDouble{"DOUBLE", ValueType::real};
inline constexpr FieldType kAddress{"IPADDR", ValueType::address};
inline constexpr FieldType kNetwork{"IPNET", ValueType::network};

// Options of a row, after the getter.
constexpr FieldCost cost(std::uint8_t value) {
    return {value};
}
inline constexpr auto kIndex = FieldArgument::optional_index;
inline constexpr auto kKey = FieldArgument::optional_key;
inline constexpr auto kName = FieldArgument::name;
inline constexpr auto kAny = Plurality::any;
inline constexpr auto kEnds = Plurality::endpoints;

inline Values no_value() {
    return {};
}
inline Values one(const Value& single) {
    return {true, &single, 1};
}
inline Values text_value(Value& single, std::string_view text) {
    single.text = text;
    return one(single);
}
inline Values number_value(Value& single, std::int64_t number) {
    single.number = number;
    return one(single);
}
inline Values unsigned_value(Value& single, std::uint64_t number) {
    return number_value(single, static_cast<std::int64_t>(number));
}
inline Values bool_value(Value& single, bool truth) {
    return number_value(single, truth ? 1 : 0);
}

template <typename T>
inline constexpr bool is_optional = false;
template <typename T>
inline constexpr bool is_optional<std::optional<T>> = true;

// Stores the result of a getter in `single`. A std::string is copied into the arena; any other text
// must live until the next event.
template <typename T>
Values to_values(const EventContext& event, T&& result, Value& single) {
    using Plain = std::remove_cvref_t<T>;
    if constexpr (std::same_as<Plain, Values>) {
        return result;
    } else if constexpr (is_optional<Plain>) {
        return result ? to_values(event, *std::forward<T>(result), single) : no_value();
    } else if constexpr (std::same_as<Plain, bool>) {
        return bool_value(single, result);
    } else if constexpr (std::floating_point<Plain>) {
        single.real = result;
        return one(single);
    } else if constexpr (std::integral<Plain>) {
        return number_value(single, static_cast<std::int64_t>(result));
    } else if constexpr (std::same_as<T, std::string>) {
        return text_value(single, event.arena->copy(result));
    } else {
        return text_value(single, result);
    }
}

// Calls `getter` for `subject` in one of the forms above.
template <auto getter, typename Subject>
Values get(const EventContext& event, const Subject& subject, Value& single) {
    using Getter = decltype(getter);
    if constexpr (std::is_invocable_v<Getter, std::string&, const Subject&>) {
        std::string& text = event.arena->scratch();
        getter(text, subject);
        return text_value(single, event.arena->copy(text));
    } else if constexpr (std::is_invocable_v<Getter, const EventContext&, const Subject&>) {
        return to_values(event, getter(event, subject), single);
    } else {
        return to_values(event, std::invoke(getter, subject), single);
    }
}

template <auto getter>
Values of_event(const EventContext& event, const Argument&, Value& single) {
    return get<getter>(event, event, single);
}

// No value if the thread is not known.
template <auto getter>
Values of_thread(const EventContext& event, const Argument&, Value& single) {
    return event.thread != nullptr ? get<getter>(event, *event.thread, single) : no_value();
}

// The name of the event's fd in the present reading.
inline std::string_view name_of(const EventContext& event) {
    switch (event.reading) {
    case Reading::given: return event.fd->others->given.view();
    case Reading::origin: return event.fd->others->origin.view();
    case Reading::kernel: break;
    }
    return event.fd->name.view();
}

// Returns true if the event uses, makes or closes an fd.
inline bool concerns_fd(const EventContext& event) {
    constexpr std::uint16_t kFdFlags = event::CREATES_FD | event::USES_FD | event::DESTROYS_FD;
    return event.thread != nullptr && (event.event->info().flags & kFdFlags) != 0;
}

// No value if the event concerns no fd, or nothing is known of the fd.
template <auto getter>
Values of_fd(const EventContext& event, const Argument&, Value& single) {
    return concerns_fd(event) && event.fd != nullptr ? get<getter>(event, *event.fd, single)
                                                     : no_value();
}

// For fields that never have a value; their description gives the reason.
inline Values never(const EventContext&, const Argument&, Value&) {
    return no_value();
}

// Returns true if a path of the event is absolute, and the thread's root directory is not that of
// the machine. Such a path has two readings.
bool starts_below_root(const EventContext& event);

// The tables of the classes.
std::span<const FieldInfo> event_fields();
std::span<const FieldInfo> event_result_fields();
std::span<const FieldInfo> event_param_fields();
std::span<const FieldInfo> time_fields();
std::span<const FieldInfo> process_fields();
std::span<const FieldInfo> executable_fields();
std::span<const FieldInfo> lineage_fields();
std::span<const FieldInfo> thread_fields();
std::span<const FieldInfo> fd_fields();
std::span<const FieldInfo> fd_peer_fields();
std::span<const FieldInfo> fd_list_fields();
std::span<const FieldInfo> path_fields();
std::span<const FieldInfo> user_fields();
std::span<const FieldInfo> group_fields();
std::span<const FieldInfo> container_fields();
// Whether a container runtime has to be asked for the field.
bool comes_from_runtime(const FieldInfo& field);

} // namespace tiercel::filter
