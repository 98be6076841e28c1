// SPDX-License-Identifier: Apache-2.0
//
// Fields of the event's result.
#include <cerrno>
#include <string>

#include "analyzer/fields/category.h"
#include "analyzer/fields/names.h"
#include "analyzer/fields/result.h"
#include "analyzer/fields/values.h"

namespace tiercel::filter {
namespace {

using event::Category;
using event::ParamType;

std::optional<std::int64_t> result(const EventContext& event) {
    return result_of(*event.event);
}

std::optional<std::uint64_t> buffer_length(const EventContext& event) {
    const Category category = event.event->info().category;
    const bool is_io = category == Category::IO_READ || category == Category::IO_WRITE ||
                       category == Category::IO_OTHER;
    const auto result = result_of(*event.event);
    if (event.fd == nullptr || !is_io || !result || *result < 0)
        return std::nullopt;
    return static_cast<std::uint64_t>(*result);
}

Values result_name(const EventContext& event, const Argument&, Value& single) {
    const auto result = result_of(*event.event);
    if (!result)
        return no_value();
    if (*result >= 0)
        return text_value(single, "SUCCESS");
    const std::string_view name = errno_name(*result);
    return name.empty() ? to_values(event, std::to_string(*result), single)
                        : text_value(single, name);
}

std::optional<bool> failed(const EventContext& event) {
    const auto result = result_of(*event.event);
    return result ? std::optional(*result < 0) : std::nullopt;
}

// 1 for a failed and 0 for a successful event; nothing if `counts` says no to its category.
template <auto counts>
std::optional<std::uint32_t> count_errors(const EventContext& event) {
    const auto result = result_of(*event.event);
    if (!result || !counts(category_of(event)))
        return std::nullopt;
    return *result < 0 ? 1 : 0;
}

bool every_category(std::string_view) {
    return true;
}
bool is_file(std::string_view category) {
    return category == "file";
}
bool is_net(std::string_view category) {
    return category == "net";
}
bool is_memory(std::string_view category) {
    return category == "memory";
}
bool is_other(std::string_view category) {
    return !is_file(category) && !is_net(category) && !is_memory(category);
}

constexpr FieldInfo kFields[] = {
    {"evt.buflen", kUint64, "Number of bytes that were read or written.", of_event<buffer_length>},
    {"evt.res", kText, "SUCCESS, or the name of the error.", result_name, cost(2)},
    {"evt.rawres", kInt64, "Result of the call, as a number.", of_event<result>, cost(1)},
    {"evt.failed", kBool, "Whether the call returned an error; no value without a result.",
     of_event<failed>, cost(1)},
    {"evt.count.error", kUint32, "1 for events that failed, 0 for events that did not.",
     of_event<count_errors<every_category>>},
    {"evt.count.error.file", kUint32, "As evt.count.error, for events on files.",
     of_event<count_errors<is_file>>},
    {"evt.count.error.net", kUint32, "As evt.count.error, for events on the network.",
     of_event<count_errors<is_net>>},
    {"evt.count.error.memory", kUint32, "As evt.count.error, for events on memory.",
     of_event<count_errors<is_memory>>},
    {"evt.count.error.other", kUint32, "As evt.count.error, for all other events.",
     of_event<count_errors<is_other>>},
};

} // namespace

std::optional<std::int64_t> result_of(const event::EventView& event) {
    const event::EventInfo& info = event.info();
    if (!info.is_exit() || info.params.empty() || info.origin != event::Origin::SYSCALL ||
        event.code() == event::GENERIC_X)
        return std::nullopt;
    if (const auto wide = event.number<std::int64_t>(0))
        return wide;
    const ParamType type = info.params[0].type;
    if (type == ParamType::UID || type == ParamType::GID || type == ParamType::UINT32)
        return event.number<std::uint32_t>(0);
    return event.number<std::int32_t>(0);
}

bool is_dropped_as_failed(const event::EventView& event) {
    const auto result = result_of(event);
    return result && *result < 0 && *result != -EINPROGRESS;
}

std::span<const FieldInfo> event_result_fields() {
    return kFields;
}

} // namespace tiercel::filter
