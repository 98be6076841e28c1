// SPDX-License-Identifier: Apache-2.0
//
// Fields of the event itself.
#include <string>

#include "analyzer/fields/names.h"
#include "analyzer/fields/params.h"
#include "analyzer/fields/values.h"
#include "analyzer/match/event_kind.h"
#include "analyzer/state/path.h"
#include "analyzer/state/update.h"

namespace tiercel::filter {
namespace {

using event::Category;
using event::ParamType;

// What the call returned; nothing for events that return nothing or do not say.
std::optional<std::int64_t> result_of(const EventContext& event) {
    const event::EventInfo& info = event.event->info();
    if (!info.is_exit() || info.params.empty())
        return std::nullopt;
    const ParamType type = info.params[0].type;
    if (type != ParamType::ERRNO && type != ParamType::FD && type != ParamType::PID &&
        type != ParamType::INT64 && type != ParamType::UINT64)
        return std::nullopt;
    return event.event->number<std::int64_t>(0);
}

std::string_view type_name(const EventContext& event) {
    const std::uint16_t code = event.event->code();
    if (code == event::GENERIC_X || code == event::GENERIC_E) {
        const std::string_view name = kind_name(kind_of(*event.event));
        return name.empty() ? "unknown" : name;
    }
    if (code == event::ASYNCEVENT_E)
        return event.event->text(1);
    return event.event->info().name;
}

Values type(const EventContext& event, const Argument&, Value& single) {
    return text_value(single, type_name(event));
}

Values type_is(const EventContext& event, const Argument& argument, Value& single) {
    return unsigned_value(single, type_name(event) == argument.key ? 1 : 0);
}

Values syscall_type(const EventContext& event, const Argument&, Value& single) {
    if (event.event->info().origin != event::Origin::SYSCALL)
        return no_value();
    return text_value(single, type_name(event));
}

// Reads and writes belong to what they go to.
Values category(const EventContext& event, const Argument&, Value& single) {
    const Category category = event.event->info().category;
    if (category != Category::IO_READ && category != Category::IO_WRITE &&
        category != Category::IO_OTHER)
        return text_value(single,
                          category == Category::IPC ? "IPC" : event::category_name(category));
    if (event.fd == nullptr)
        return text_value(single, "unknown");
    using Kind = state::FdKind;
    switch (event.fd->kind) {
    case Kind::file:
    case Kind::directory:
    case Kind::file_with_flags: return text_value(single, "file");
    case Kind::ipv4:
    case Kind::ipv6:
    case Kind::ipv4_server:
    case Kind::ipv6_server: return text_value(single, "net");
    case Kind::pipe:
    case Kind::unix_socket:
    case Kind::event:
    case Kind::signalfd:
    case Kind::inotify: return text_value(single, "ipc");
    default: return text_value(single, "unknown");
    }
}

Values num(const EventContext& event, const Argument&, Value& single) {
    return unsigned_value(single, event.num);
}
Values cpu(const EventContext& event, const Argument&, Value& single) {
    return number_value(single, event.cpu);
}
Values direction(const EventContext& event, const Argument&, Value& single) {
    return text_value(single, event.event->info().is_exit() ? "<" : ">");
}
Values source(const EventContext&, const Argument&, Value& single) {
    return text_value(single, "syscall");
}
Values hostname(const EventContext& event, const Argument&, Value& single) {
    if (event.hostname == nullptr || *event.hostname == '\0')
        return no_value();
    return text_value(single, event.hostname);
}
Values never(const EventContext&, const Argument&, Value&) {
    return no_value();
}
Values is_async(const EventContext& event, const Argument&, Value& single) {
    return bool_value(single, event.event->code() == event::ASYNCEVENT_E);
}
Values async_type(const EventContext& event, const Argument&, Value& single) {
    return event.event->code() == event::ASYNCEVENT_E ? text_value(single, event.event->text(1))
                                                      : no_value();
}

Values args(const EventContext& event, const Argument&, Value& single) {
    std::string& text = event.arena->scratch();
    append_params(event, text);
    return text_value(single, event.arena->copy(text));
}

int find_param(const EventContext& event, const Argument& argument) {
    const int index = argument.index >= 0 ? static_cast<int>(argument.index)
                                          : event.event->info().find_param(argument.key);
    const auto count =
        std::min<std::size_t>(event.event->nparams(), event.event->info().params.size());
    return index >= 0 && static_cast<std::size_t>(index) < count ? index : -1;
}

Values arg(const EventContext& event, const Argument& argument, Value& single) {
    const int index = find_param(event, argument);
    if (index < 0)
        return no_value();
    std::string& raw = event.arena->scratch();
    std::string meaning;
    append_param(event, static_cast<std::uint32_t>(index), raw, meaning);
    return text_value(single, event.arena->copy(meaning.empty() ? raw : meaning));
}

Values raw_arg(const EventContext& event, const Argument& argument, Value& single) {
    const int index = find_param(event, argument);
    if (index < 0)
        return no_value();
    const event::ParamInfo& info = event.event->info().params[static_cast<std::size_t>(index)];
    const event::Bytes bytes = event.event->param(static_cast<std::uint32_t>(index));
    if (bytes.empty())
        return no_value();
    const std::size_t width = event::width(info.type);
    const auto* chars = reinterpret_cast<const char*>(bytes.data());
    single.text = {chars, info.type == ParamType::CHARBUF || info.type == ParamType::FSPATH ||
                                  info.type == ParamType::FSRELPATH
                              ? strnlen(chars, bytes.size())
                              : bytes.size()};
    if (width == 0 || width > sizeof(std::int64_t) || bytes.size() != width)
        return one(single);
    std::uint64_t bits = 0;
    std::memcpy(&bits, bytes.data(), width);
    using enum ParamType;
    const bool is_signed = info.type == INT8 || info.type == INT16 || info.type == INT32 ||
                           info.type == PID32 || info.type == FD32;
    const unsigned shift = static_cast<unsigned>(64 - 8 * width);
    single.number = is_signed ? static_cast<std::int64_t>(bits << shift) >> shift
                              : static_cast<std::int64_t>(bits);
    return one(single);
}

Values buffer(const EventContext& event, const Argument&, Value& single) {
    const int index = event.event->info().find_param("data");
    if (index < 0 || event.event->param(static_cast<std::uint32_t>(index)).empty())
        return no_value();
    const event::Bytes bytes = event.event->param(static_cast<std::uint32_t>(index));
    return text_value(single, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

bool is_io(const event::EventInfo& info) {
    return info.category == Category::IO_READ || info.category == Category::IO_WRITE ||
           info.category == Category::IO_OTHER;
}

Values buffer_length(const EventContext& event, const Argument&, Value& single) {
    const auto result = result_of(event);
    if (event.fd == nullptr || !is_io(event.event->info()) || !result || *result < 0)
        return no_value();
    return number_value(single, *result);
}

Values res(const EventContext& event, const Argument&, Value& single) {
    const auto result = result_of(event);
    if (!result)
        return no_value();
    if (*result >= 0)
        return text_value(single, "SUCCESS");
    if (const std::string_view name = errno_name(*result); !name.empty())
        return text_value(single, name);
    return text_value(single, event.arena->copy(std::to_string(*result)));
}

Values raw_res(const EventContext& event, const Argument&, Value& single) {
    const auto result = result_of(event);
    return result ? number_value(single, *result) : no_value();
}

Values failed(const EventContext& event, const Argument&, Value& single) {
    const auto result = result_of(event);
    return bool_value(single, result && *result < 0);
}

// The flag in `variant` of the event.
Values has_flag(const EventContext& event, const Argument& argument, Value& single) {
    return bool_value(single, (event.event->info().flags & argument.variant) != 0);
}

Values io_direction(const EventContext& event, const Argument&, Value& single) {
    const std::uint16_t flags = event.event->info().flags;
    if ((flags & event::WRITES_TO_FD) != 0)
        return text_value(single, "write");
    return (flags & event::READS_FROM_FD) != 0 ? text_value(single, "read") : no_value();
}

Values is_syslog(const EventContext& event, const Argument&, Value& single) {
    return bool_value(single, (event.event->info().flags & event::WRITES_TO_FD) != 0 &&
                                  event.fd != nullptr &&
                                  event.fd->name.view().find("/dev/log") != std::string_view::npos);
}

enum CountVariant : std::uint16_t {
    ANY,
    ERROR_ANY,
    ERROR_FILE,
    ERROR_NET,
    ERROR_MEMORY,
    ERROR_OTHER,
    EXIT
};

Values count(const EventContext& event, const Argument& argument, Value& single) {
    if (argument.variant == ANY)
        return unsigned_value(single, 1);
    if (argument.variant == EXIT)
        return event.event->info().is_exit() ? unsigned_value(single, 1) : no_value();
    const auto result = result_of(event);
    if (!result)
        return no_value();
    const bool is_error = *result < 0;
    Value of;
    const std::string_view kind = category(event, {}, of).first->text;
    bool counts = true;
    switch (argument.variant) {
    case ERROR_FILE: counts = kind == "file"; break;
    case ERROR_NET: counts = kind == "net"; break;
    case ERROR_MEMORY: counts = kind == "memory"; break;
    case ERROR_OTHER: counts = kind != "file" && kind != "net" && kind != "memory"; break;
    default: break;
    }
    return counts ? unsigned_value(single, is_error ? 1 : 0) : no_value();
}

// Where an open event has its flags and its mode; -1: it is no open event.
struct OpenParams {
    int flags = -1;
    int mode = -1;
};
OpenParams open_params(std::uint16_t code) {
    switch (code) {
    case event::SYSCALL_OPEN_E: return {1, 2};
    case event::SYSCALL_OPEN_X: return {2, 3};
    case event::SYSCALL_OPENAT_2_E:
    case event::SYSCALL_OPENAT2_E: return {2, 3};
    case event::SYSCALL_OPENAT_2_X:
    case event::SYSCALL_OPENAT2_X: return {3, 4};
    case event::SYSCALL_OPEN_BY_HANDLE_AT_X: return {2, -1};
    default: return {};
    }
}

enum OpenVariant : std::uint16_t { OPEN_READ, OPEN_WRITE, OPEN_EXEC, OPEN_CREATE };

Values is_open(const EventContext& event, const Argument& argument, Value& single) {
    constexpr std::uint32_t kRead = 1, kWrite = 2, kCreate = 4, kTmpfile = 1u << 13,
                            kCreated = 1u << 14;
    constexpr std::uint32_t kExecute = 0111;
    const std::uint16_t code = event.event->code();
    const OpenParams params = open_params(code);
    const auto param = [&](int index) {
        return index < 0 ? 0u
                         : event.event->number<std::uint32_t>(static_cast<std::uint32_t>(index))
                               .value_or(0);
    };
    const std::uint32_t flags = param(params.flags);
    switch (argument.variant) {
    case OPEN_READ: return bool_value(single, (flags & kRead) != 0);
    case OPEN_WRITE: return bool_value(single, (flags & kWrite) != 0);
    case OPEN_CREATE: return bool_value(single, (flags & kCreated) != 0);
    default: break;
    }
    const bool creat = code == event::SYSCALL_CREAT_X;
    const std::uint32_t mode = creat ? param(2) : param(params.mode);
    return bool_value(single,
                      (creat || (flags & (kCreate | kTmpfile)) != 0) && (mode & kExecute) != 0);
}

// "evt.abspath", ".src" and ".dst": of the calls that take a directory fd.
Values abspath(const EventContext& event, const Argument& argument, Value& single) {
    const std::string_view which = argument.key;
    const event::EventInfo& info = event.event->info();
    int seen = 0;
    for (std::uint32_t i = 0; i < info.params.size(); ++i) {
        if (info.params[i].type != ParamType::FSRELPATH)
            continue;
        ++seen;
        if (which == "dst" ? seen != 2 : seen != 1)
            continue;
        if (event.event->param(i).empty() || event.thread == nullptr)
            return no_value();
        const std::string_view path = event.event->text(i);
        std::string directory(event.thread->cwd());
        const auto dirfd =
            event.event->number<std::int64_t>(static_cast<std::uint32_t>(info.params[i].dirfd));
        if (dirfd && *dirfd != state::kAtFdcwd) {
            const state::Fd* fd = event.thread->fd(*dirfd);
            directory = fd != nullptr ? std::string(fd->name.view()) : "<UNKNOWN>/";
        }
        std::string& whole = event.arena->scratch();
        state::join_path(directory, path, whole);
        return text_value(single, event.arena->copy(whole));
    }
    return no_value();
}

Values zero_interval(const EventContext&, const Argument&, Value& single) {
    return unsigned_value(single, 0);
}
Values zero_text(const EventContext&, const Argument&, Value& single) {
    return text_value(single, "0ns");
}

constexpr ValueType T = ValueType::text;
constexpr ValueType U = ValueType::unsigned_number;
constexpr ValueType S = ValueType::signed_number;
constexpr ValueType B = ValueType::boolean;
constexpr auto kNone = FieldArgument::none;
constexpr auto kSingle = Plurality::single;

constexpr FieldInfo kFields[] = {
    {"evt.num", "UINT64", U, "Number of the event, counted from 1.", num, 0, kNone, kSingle, 1},
    {"evt.type", "CHARBUF", T, "Name of the event: of its syscall, or of what else caused it.",
     type, 0, kNone, kSingle, 1},
    {"evt.type.is", "UINT32", U,
     "1 for events of the type that follows the name, as in evt.type.is.open; else 0.", type_is, 0,
     FieldArgument::name},
    {"syscall.type", "CHARBUF", T, "Name of the syscall; without a value for events that are none.",
     syscall_type, 0, kNone, kSingle, 1},
    {"evt.category", "CHARBUF", T,
     "What the event is about: file, net, memory, process… Reads and writes count as what their fd "
     "is.",
     category},
    {"evt.cpu", "INT16", S, "Number of the CPU that the event happened on.", cpu, 0, kNone, kSingle,
     1},
    {"evt.dir", "CHARBUF", T, "'<' for exit events, '>' for the others.", direction, 0, kNone,
     kSingle, 1},
    {"evt.source", "CHARBUF", T, "Where the event comes from: always 'syscall'.", source, 0, kNone,
     kSingle, 1},
    {"evt.hostname", "CHARBUF", T, "Name of the machine: the setting hostname, or else its own.",
     hostname, 0, kNone, kSingle, 1},
    {"evt.pluginname", "CHARBUF", T, "Always without a value: there are no plugins.", never},
    {"evt.plugininfo", "CHARBUF", T, "Always without a value: there are no plugins.", never},
    {"evt.is_async", "BOOL", B,
     "Whether the event did not come from the kernel but from beside it.", is_async, 0, kNone,
     kSingle, 1},
    {"evt.asynctype", "CHARBUF", T, "What kind of asynchronous event it is.", async_type, 0, kNone,
     kSingle, 1},
    {"evt.args", "CHARBUF", T, "All parameters as text.", args, 0, kNone, kSingle, 40},
    {"evt.info", "CHARBUF", T, "The same as evt.args.", args, 0, kNone, kSingle, 40},
    {"evt.arg", "CHARBUF", T,
     "A parameter as text, by name or number: evt.arg.fd, evt.arg[0]. Numbers that stand for "
     "something are given as that.",
     arg, 0, FieldArgument::index_or_name, kSingle, 8},
    {"evt.rawarg", "DYNAMIC", ValueType::bytes, "A parameter as it is, by name: evt.rawarg.fd.",
     raw_arg, 0, FieldArgument::name, kSingle, 2},
    {"evt.buffer", "BYTEBUF", ValueType::bytes, "The first bytes that were read or written.",
     buffer},
    {"evt.buflen", "UINT64", U, "How many bytes were read or written.", buffer_length},
    {"evt.res", "CHARBUF", T, "SUCCESS, or the name of the error.", res, 0, kNone, kSingle, 2},
    {"evt.rawres", "INT64", S, "What the call returned, as a number.", raw_res, 0, kNone, kSingle,
     1},
    {"evt.failed", "BOOL", B, "Whether the call returned an error.", failed, 0, kNone, kSingle, 1},
    {"evt.is_io", "BOOL", B, "Whether the event reads from or writes to an fd.", has_flag,
     event::READS_FROM_FD | event::WRITES_TO_FD, kNone, kSingle, 1},
    {"evt.is_io_read", "BOOL", B, "Whether the event reads from an fd.", has_flag,
     event::READS_FROM_FD, kNone, kSingle, 1},
    {"evt.is_io_write", "BOOL", B, "Whether the event writes to an fd.", has_flag,
     event::WRITES_TO_FD, kNone, kSingle, 1},
    {"evt.io_dir", "CHARBUF", T, "'read' or 'write' for events that do so.", io_direction, 0, kNone,
     kSingle, 1},
    {"evt.is_wait", "BOOL", B, "Whether the call may wait, as poll does.", has_flag, event::WAITS,
     kNone, kSingle, 1},
    {"evt.is_syslog", "BOOL", B, "Whether the event writes to /dev/log.", is_syslog},
    {"evt.count", "UINT32", U, "Always 1.", count, ANY, kNone, kSingle, 1},
    {"evt.count.error", "UINT32", U, "1 for events that failed, 0 for those that did not.", count,
     ERROR_ANY},
    {"evt.count.error.file", "UINT32", U, "As evt.count.error, for events on files.", count,
     ERROR_FILE},
    {"evt.count.error.net", "UINT32", U, "As evt.count.error, for events on the network.", count,
     ERROR_NET},
    {"evt.count.error.memory", "UINT32", U, "As evt.count.error, for events on memory.", count,
     ERROR_MEMORY},
    {"evt.count.error.other", "UINT32", U, "As evt.count.error, for all other events.", count,
     ERROR_OTHER},
    {"evt.count.exit", "UINT32", U, "1 for exit events.", count, EXIT},
    {"evt.abspath", "CHARBUF", T,
     "The whole path, for calls with a directory fd; evt.abspath.src and .dst for those with two.",
     abspath, 0, FieldArgument::optional_key},
    {"evt.abspath.src", "CHARBUF", T, "The first path, for calls with two directory fds.", abspath},
    {"evt.abspath.dst", "CHARBUF", T, "The second path, for calls with two directory fds.",
     [](const EventContext& event, const Argument&, Value& single) {
         return abspath(event, Argument{"dst", -1, 0}, single);
     }},
    {"evt.is_open_read", "BOOL", B, "Whether a file was opened for reading.", is_open, OPEN_READ,
     kNone, kSingle, 2},
    {"evt.is_open_write", "BOOL", B, "Whether a file was opened for writing.", is_open, OPEN_WRITE,
     kNone, kSingle, 2},
    {"evt.is_open_exec", "BOOL", B, "Whether a file was made with permission to execute it.",
     is_open, OPEN_EXEC, kNone, kSingle, 2},
    {"evt.is_open_create", "BOOL", B, "Whether opening made the file.", is_open, OPEN_CREATE, kNone,
     kSingle, 2},
    {"evt.latency", "RELTIME", U, "Always 0: enter events no longer exist.", zero_interval},
    {"evt.latency.s", "RELTIME", U, "Always 0: enter events no longer exist.", zero_interval},
    {"evt.latency.ns", "RELTIME", U, "Always 0: enter events no longer exist.", zero_interval, 0,
     kNone, kSingle, 1, FieldPrint::padded9},
    {"evt.latency.human", "CHARBUF", T, "Always '0ns': enter events no longer exist.", zero_text},
    {"evt.wait_latency", "RELTIME", U, "Always 0: enter events no longer exist.", zero_interval},
};

} // namespace

std::span<const FieldInfo> event_fields() {
    return kFields;
}

} // namespace tiercel::filter
