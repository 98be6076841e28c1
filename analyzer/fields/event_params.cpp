// SPDX-License-Identifier: Apache-2.0
//
// Fields of the event's parameters.
#include <string>

#include "analyzer/fields/params.h"
#include "analyzer/fields/values.h"
#include "analyzer/state/path.h"
#include "shared/event/params.h"

namespace tiercel::filter {
namespace {

using event::ParamType;

std::string all_params(const EventContext& event) {
    std::string text;
    append_params(event, text);
    return text;
}

// Returns the index of the parameter that `argument` names by number or name; -1 if there is none.
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

std::optional<std::string_view> buffer(const EventContext& event) {
    const int index = event.event->info().find_param("data");
    if (index < 0 || event.event->param(static_cast<std::uint32_t>(index)).empty())
        return std::nullopt;
    const event::Bytes bytes = event.event->param(static_cast<std::uint32_t>(index));
    return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

// The flags and the mode of an event that opens or creates a file; 0 for other events.
struct Opened {
    std::uint32_t flags = 0;
    std::uint32_t mode = 0;
};

// Enter events, which captures before schema 4 have, lack the first parameter of the exit event.
Opened opened(const EventContext& event) {
    namespace param = event::param;
    const auto read = [&](std::uint32_t flags, std::uint32_t mode) {
        return Opened{event.event->number<std::uint32_t>(flags).value_or(0),
                      event.event->number<std::uint32_t>(mode).value_or(0)};
    };
    switch (event.event->code()) {
    case event::SYSCALL_OPEN_E:
        return read(param::SYSCALL_OPEN_E::flags, param::SYSCALL_OPEN_E::mode);
    case event::SYSCALL_OPEN_X:
        return read(param::SYSCALL_OPEN_X::flags, param::SYSCALL_OPEN_X::mode);
    case event::SYSCALL_OPENAT_2_E:
        return read(param::SYSCALL_OPENAT_2_E::flags, param::SYSCALL_OPENAT_2_E::mode);
    case event::SYSCALL_OPENAT2_E:
        return read(param::SYSCALL_OPENAT2_E::flags, param::SYSCALL_OPENAT2_E::mode);
    case event::SYSCALL_OPENAT_2_X:
        return read(param::SYSCALL_OPENAT_2_X::flags, param::SYSCALL_OPENAT_2_X::mode);
    case event::SYSCALL_OPENAT2_X:
        return read(param::SYSCALL_OPENAT2_X::flags, param::SYSCALL_OPENAT2_X::mode);
    case event::SYSCALL_OPEN_BY_HANDLE_AT_X:
        return {read(param::SYSCALL_OPEN_BY_HANDLE_AT_X::flags, 0).flags, 0};
    default: return {}; // no other event has the flags of an open
    }
}

namespace file_flags = event::flags::file_flags;

template <std::uint32_t flag>
bool is_opened_with(const EventContext& event) {
    return (opened(event).flags & flag) != 0;
}

bool creates_executable(const EventContext& event) {
    namespace creat = event::param::SYSCALL_CREAT_X;
    constexpr std::uint32_t kExecute = 0111;
    if (event.event->code() == event::SYSCALL_CREAT_X)
        return (event.event->number<std::uint32_t>(creat::mode).value_or(0) & kExecute) != 0;
    const Opened open = opened(event);
    return (open.flags & (file_flags::kO_CREAT | file_flags::kO_TMPFILE)) != 0 &&
           (open.mode & kExecute) != 0;
}

// The whole path of a call that takes a directory fd; `second`: of its second path.
Values whole_path(const EventContext& event, bool second, Value& single) {
    const event::EventInfo& info = event.event->info();
    int seen = 0;
    for (std::uint32_t i = 0; i < info.params.size(); ++i) {
        if (info.params[i].type != ParamType::FSRELPATH)
            continue;
        ++seen;
        if (seen != (second ? 2 : 1))
            continue;
        if (event.event->param(i).empty() || event.thread == nullptr)
            return no_value();
        const std::string_view path = event.event->text(i);
        std::string directory(event.thread->cwd());
        const auto dirfd =
            event.event->number<std::int64_t>(static_cast<std::uint32_t>(info.params[i].dirfd));
        if (dirfd && *dirfd != event::kAtFdcwd) {
            const state::Fd* fd = event.thread->fd(*dirfd);
            directory = fd != nullptr ? std::string(fd->name.view()) : "<UNKNOWN>/";
        }
        std::string& whole = event.arena->scratch();
        state::join_path(directory, path, whole);
        return text_value(single, event.arena->copy(whole));
    }
    return no_value();
}

Values abspath(const EventContext& event, const Argument& argument, Value& single) {
    return whole_path(event, argument.key == "dst", single);
}
Values second_path(const EventContext& event, const Argument&, Value& single) {
    return whole_path(event, true, single);
}

constexpr FieldInfo kFields[] = {
    {"evt.args", kText, "All parameters as text.", of_event<all_params>, cost(40)},
    {"evt.info", kText, "The same as evt.args.", of_event<all_params>, cost(40)},
    {"evt.arg", kText,
     "A parameter as text, by name or number: evt.arg.fd, evt.arg[0]. A number that stands for a "
     "flag, an fd or an error is given as its name.",
     arg, FieldArgument::index_or_name, cost(8)},
    {"evt.rawarg", kDynamic, "A parameter in its own type, by name: evt.rawarg.fd.", raw_arg, kName,
     cost(2)},
    {"evt.buffer", kBytes, "The first bytes that were read or written.", of_event<buffer>},
    {"evt.abspath", kText,
     "The whole path, for calls with a directory fd; evt.abspath.src and .dst for those with two.",
     abspath, kKey},
    {"evt.abspath.src", kText, "The first path, for calls with two directory fds.", abspath},
    {"evt.abspath.dst", kText, "The second path, for calls with two directory fds.", second_path},
    {"evt.is_open_read", kBool, "Whether a file was opened for reading.",
     of_event<is_opened_with<file_flags::kO_RDONLY>>, cost(2)},
    {"evt.is_open_write", kBool, "Whether a file was opened for writing.",
     of_event<is_opened_with<file_flags::kO_WRONLY>>, cost(2)},
    {"evt.is_open_exec", kBool, "Whether a file was created with permission to execute it.",
     of_event<creates_executable>, cost(2)},
    {"evt.is_open_create", kBool, "Whether the call created the file.",
     of_event<is_opened_with<file_flags::kO_F_CREATED>>, cost(2)},
};

} // namespace

std::span<const FieldInfo> event_param_fields() {
    return kFields;
}

} // namespace tiercel::filter
