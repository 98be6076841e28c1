// SPDX-License-Identifier: Apache-2.0
//
// Fields of the event itself: its type, number and category. event_result.cpp has those of its
// result, event_params.cpp those of its parameters.
#include <string>

#include "analyzer/fields/category.h"
#include "analyzer/fields/values.h"
#include "analyzer/match/event_kind.h"
#include "shared/event/params.h"

namespace tiercel::filter {
namespace {

using event::Category;
namespace async = event::param::ASYNCEVENT_E;

bool is_async(const EventContext& event) {
    return event.event->code() == event::ASYNCEVENT_E;
}

std::string_view type_name(const EventContext& event) {
    const std::uint16_t code = event.event->code();
    if (code == event::GENERIC_X || code == event::GENERIC_E) {
        const std::string_view name = kind_name(kind_of(*event.event));
        return name.empty() ? "unknown" : name;
    }
    return is_async(event) ? event.event->text(async::name) : event.event->info().name;
}

Values type_is(const EventContext& event, const Argument& argument, Value& single) {
    return unsigned_value(single, type_name(event) == argument.key ? 1 : 0);
}

std::optional<std::string_view> syscall_type(const EventContext& event) {
    return event.event->info().origin == event::Origin::SYSCALL ? std::optional(type_name(event))
                                                                : std::nullopt;
}

std::string_view direction(const EventContext& event) {
    return event.event->info().is_exit() ? "<" : ">";
}

std::optional<std::string_view> hostname(const EventContext& event) {
    if (event.hostname == nullptr || *event.hostname == '\0')
        return std::nullopt;
    return event.hostname;
}

std::optional<std::string_view> async_type(const EventContext& event) {
    return is_async(event) ? std::optional(event.event->text(async::name)) : std::nullopt;
}

template <unsigned flags>
bool has_flag(const EventContext& event) {
    return (event.event->info().flags & flags) != 0;
}

std::optional<std::string_view> io_direction(const EventContext& event) {
    if (has_flag<event::WRITES_TO_FD>(event))
        return "write";
    return has_flag<event::READS_FROM_FD>(event) ? std::optional<std::string_view>("read")
                                                 : std::nullopt;
}

bool is_syslog(const EventContext& event) {
    return has_flag<event::WRITES_TO_FD>(event) && event.fd != nullptr &&
           event.fd->name.view().find("/dev/log") != std::string_view::npos;
}

std::optional<std::uint32_t> count_exit(const EventContext& event) {
    return event.event->info().is_exit() ? std::optional(1U) : std::nullopt;
}

constexpr std::string_view kNoPlugins = "Always without a value, because there are no plugins.";
constexpr std::string_view kNoEnter = "Always 0, because there are no enter events any more.";
constexpr auto kZero = of_event<[](const EventContext&) { return 0; }>;

constexpr FieldInfo kFields[] = {
    {"evt.num", kUint64, "Number of the event, counted from 1.", of_event<&EventContext::num>,
     cost(1)},
    {"evt.type", kText, "Name of the event: of its syscall, or of another cause.",
     of_event<type_name>, cost(1)},
    {"evt.type.is", kUint32,
     "1 for events of the type that follows the name, as in evt.type.is.open; otherwise 0.",
     type_is, kName},
    {"syscall.type", kText, "Name of the syscall; no value for events that are not syscalls.",
     of_event<syscall_type>, cost(1)},
    {"evt.category", kText,
     "Subject of the event: file, net, memory, process… A read or write has the category of its "
     "fd.",
     of_event<category_of>},
    {"evt.cpu", kInt16, "Number of the CPU that the event happened on.",
     of_event<&EventContext::cpu>, cost(1)},
    {"evt.is_uring", kBool,
     "Whether the call was made through io_uring, as an operation and not as a syscall.",
     of_event<&EventContext::is_uring>, cost(1)},
    {"evt.dir", kText, "'<' for exit events, '>' for others.", of_event<direction>, cost(1)},
    {"evt.source", kText, "Source of the event: always 'syscall'.",
     of_event<[](const EventContext&) { return std::string_view("syscall"); }>, cost(1)},
    {"evt.hostname", kText, "Name of the machine: the setting hostname, or its own.",
     of_event<hostname>, cost(1)},
    {"evt.pluginname", kText, kNoPlugins, never},
    {"evt.plugininfo", kText, kNoPlugins, never},
    {"evt.is_async", kBool, "Whether the event came from the analyzer and not from the kernel.",
     of_event<is_async>, cost(1)},
    {"evt.asynctype", kText, "Type of an asynchronous event.", of_event<async_type>, cost(1)},
    {"evt.is_io", kBool, "Whether the event reads from or writes to an fd.",
     of_event<has_flag<event::READS_FROM_FD | event::WRITES_TO_FD>>, cost(1)},
    {"evt.is_io_read", kBool, "Whether the event reads from an fd.",
     of_event<has_flag<event::READS_FROM_FD>>, cost(1)},
    {"evt.is_io_write", kBool, "Whether the event writes to an fd.",
     of_event<has_flag<event::WRITES_TO_FD>>, cost(1)},
    {"evt.io_dir", kText, "'read' or 'write' for events that do so.", of_event<io_direction>,
     cost(1)},
    {"evt.is_wait", kBool, "Whether the call may wait, as poll does.",
     of_event<has_flag<event::WAITS>>, cost(1)},
    {"evt.is_syslog", kBool, "Whether the event writes to /dev/log.", of_event<is_syslog>},
    {"evt.count", kUint32, "Always 1.", of_event<[](const EventContext&) { return 1; }>, cost(1)},
    {"evt.count.exit", kUint32, "1 for exit events.", of_event<count_exit>},
    {"evt.latency", kRelTime, kNoEnter, kZero},
    {"evt.latency.s", kRelTime, kNoEnter, kZero},
    {"evt.latency.ns", kRelTime, kNoEnter, kZero, FieldPrint::padded9},
    {"evt.latency.human", kText, "Always '0ns', because there are no enter events any more.",
     of_event<[](const EventContext&) { return std::string_view("0ns"); }>},
    {"evt.wait_latency", kRelTime, kNoEnter, kZero},
};

} // namespace

std::string_view category_of(const EventContext& event) {
    const Category category = event.event->info().category;
    if (category != Category::IO_READ && category != Category::IO_WRITE &&
        category != Category::IO_OTHER)
        return category == Category::IPC ? "IPC" : event::category_name(category);
    if (event.fd == nullptr)
        return "unknown";
    using Kind = state::FdKind;
    switch (event.fd->kind) {
    case Kind::file:
    case Kind::directory:
    case Kind::file_with_flags: return "file";
    case Kind::ipv4:
    case Kind::ipv6:
    case Kind::ipv4_server:
    case Kind::ipv6_server: return "net";
    case Kind::pipe:
    case Kind::unix_socket:
    case Kind::event:
    case Kind::signalfd:
    case Kind::inotify: return "ipc";
    case Kind::unknown:
    case Kind::unsupported:
    case Kind::eventpoll:
    case Kind::timerfd:
    case Kind::netlink:
    case Kind::bpf:
    case Kind::userfaultfd:
    case Kind::io_uring:
    case Kind::memfd:
    case Kind::pidfd: break;
    }
    return "unknown";
}

std::span<const FieldInfo> event_fields() {
    return kFields;
}

} // namespace tiercel::filter
