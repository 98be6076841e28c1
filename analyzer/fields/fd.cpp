// SPDX-License-Identifier: Apache-2.0
//
// Fields of the event's fd. fd_peer.cpp has those of a connection's two ends.
#include <string>

#include "analyzer/fields/params.h"
#include "analyzer/fields/values.h"
#include "analyzer/state/path.h"
#include "shared/event/params.h"

namespace tiercel::filter {
namespace {

using state::Fd;
using state::FdKind;

bool is_file(const Fd& fd) {
    return fd.kind == FdKind::file || fd.kind == FdKind::file_with_flags;
}

// Appends the name that an event would have given its fd if it had succeeded.
void append_intended_name(const EventContext& event, bool raw_name, std::string& out) {
    namespace param = event::param;
    const event::EventView& view = *event.event;
    const auto param_text = [&](std::uint32_t index) {
        std::string raw, meaning;
        append_param(event, index, raw, meaning);
        out += meaning.empty() || raw_name ? raw : meaning;
    };
    switch (view.code()) {
    case event::SYSCALL_OPEN_X: return param_text(param::SYSCALL_OPEN_X::name);
    case event::SYSCALL_CREAT_X: return param_text(param::SYSCALL_CREAT_X::name);
    case event::SOCKET_ACCEPT_5_X: return param_text(param::SOCKET_ACCEPT_5_X::tuple);
    case event::SOCKET_ACCEPT4_6_X: return param_text(param::SOCKET_ACCEPT4_6_X::tuple);
    case event::SOCKET_CONNECT_X: return param_text(param::SOCKET_CONNECT_X::tuple);
    case event::SYSCALL_OPENAT_2_X:
    case event::SYSCALL_OPENAT2_X: {
        const std::string_view path = view.text(param::SYSCALL_OPENAT_2_X::name);
        if (raw_name) {
            out += path;
            return;
        }
        const std::int64_t dirfd =
            view.number<std::int64_t>(param::SYSCALL_OPENAT_2_X::dirfd).value_or(event::kAtFdcwd);
        const Fd* directory = dirfd != event::kAtFdcwd ? event.thread->fd(dirfd) : nullptr;
        state::join_path(dirfd == event::kAtFdcwd ? event.thread->cwd()
                         : directory != nullptr   ? directory->name.view()
                                                  : std::string_view("<UNKNOWN>"),
                         path, out);
        return;
    }
    case event::SYSCALL_OPEN_BY_HANDLE_AT_X:
        out += view.text(param::SYSCALL_OPEN_BY_HANDLE_AT_X::path);
        return;
    default: return; // all other events give their fd no name
    }
}
static_assert(int{event::param::SYSCALL_OPENAT_2_X::name} ==
              int{event::param::SYSCALL_OPENAT2_X::name});

std::optional<std::string> intended_name(const EventContext& event, bool raw_name) {
    if (!event.event->info().is_exit())
        return std::nullopt;
    std::string text;
    append_intended_name(event, raw_name, text);
    return text;
}

std::optional<std::int64_t> number(const EventContext& event) {
    return concerns_fd(event) ? std::optional(event.fd_num) : std::nullopt;
}

std::string_view kind_name(const Fd& fd) {
    return state::fd_kind_name(fd.kind);
}

// fd.typechar of the fd that a failed call would have made.
char intended_letter(std::uint16_t code) {
    using namespace event;
    switch (code) {
    case SYSCALL_OPEN_X:
    case SYSCALL_OPENAT_2_X:
    case SYSCALL_OPENAT2_X:
    case SYSCALL_CREAT_X: return 'f';
    case SOCKET_SOCKET_X:
    case SOCKET_ACCEPT_5_X:
    case SOCKET_ACCEPT4_6_X: return '4';
    case SYSCALL_PIPE_X:
    case SYSCALL_PIPE2_X: return 'p';
    case SYSCALL_EVENTFD_X:
    case SYSCALL_EVENTFD2_X: return 'e';
    case SYSCALL_SIGNALFD_X:
    case SYSCALL_SIGNALFD4_X: return 's';
    case SYSCALL_TIMERFD_CREATE_X: return 't';
    case SYSCALL_INOTIFY_INIT_X:
    case SYSCALL_INOTIFY_INIT1_X: return 'i';
    default: return 'o'; // other events make no fd of a known type
    }
}

std::optional<std::string> type_letter(const EventContext& event) {
    if (!concerns_fd(event))
        return std::nullopt;
    return std::string(1, event.fd != nullptr ? state::fd_kind_letter(event.fd->kind)
                                              : intended_letter(event.event->code()));
}

Values types(const EventContext& event, const Argument& argument, Value& single) {
    if (!concerns_fd(event))
        return no_value();
    if (argument.index >= 0) {
        const Fd* fd = event.thread->fd(argument.index);
        return fd != nullptr ? text_value(single, state::fd_kind_name(fd->kind)) : no_value();
    }
    constexpr std::size_t kKinds = static_cast<std::size_t>(FdKind::pidfd) + 1;
    const std::span<Value> values = event.arena->array<Value>(kKinds);
    std::uint32_t count = 0;
    event.thread->process->fds->for_each([&](std::int64_t, const Fd& fd) {
        const std::string_view name = state::fd_kind_name(fd.kind);
        for (std::uint32_t i = 0; i < count; ++i)
            if (values[i].text == name)
                return;
        if (count < kKinds)
            values[count++].text = name;
    });
    return {true, values.data(), count};
}

std::optional<std::string> name(const EventContext& event) {
    if (!concerns_fd(event))
        return std::nullopt;
    return event.fd != nullptr ? std::string(name_of(event)) : intended_name(event, false);
}

// The same without a copy of the state's text.
Values name_values(const EventContext& event, const Argument&, Value& single) {
    if (concerns_fd(event) && event.fd != nullptr)
        return text_value(single, name_of(event));
    return to_values(event, name(event), single);
}

Values raw_name(const EventContext& event, const Argument&, Value& single) {
    if (!concerns_fd(event))
        return no_value();
    if (event.fd != nullptr)
        return text_value(single, event.fd->raw_name());
    return to_values(event, intended_name(event, true), single);
}

// The directory part of a path: "/" if the path has no other.
std::string_view directory_of(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string_view::npos || slash == 0)
        return "/";
    return slash + 1 < path.size() ? path.substr(0, slash) : path;
}

std::optional<std::string> directory(const EventContext& event) {
    if (!concerns_fd(event))
        return std::nullopt;
    if (event.fd == nullptr) {
        const std::optional<std::string> path = intended_name(event, false);
        return path ? std::optional(std::string(directory_of(*path))) : std::nullopt;
    }
    if (event.fd->kind == FdKind::directory)
        return std::string(name_of(event));
    if (!is_file(*event.fd))
        return std::nullopt;
    return std::string(directory_of(name_of(event)));
}

// The same without a copy of the state's text.
Values directory_values(const EventContext& event, const Argument&, Value& single) {
    if (concerns_fd(event) && event.fd != nullptr && is_file(*event.fd))
        return text_value(single, directory_of(name_of(event)));
    return to_values(event, directory(event), single);
}

// `text` after the container's id and ':'.
std::optional<std::string> in_container(const EventContext& event,
                                        const std::optional<std::string>& text) {
    if (!text)
        return std::nullopt;
    return std::string(event.thread->container_id.view()) + ':' + *text;
}

std::optional<std::string> name_in_container(const EventContext& event) {
    return in_container(event, name(event));
}
std::optional<std::string> directory_in_container(const EventContext& event) {
    return in_container(event, directory(event));
}

std::optional<std::string_view> file_name(const EventContext& event, const Fd& fd) {
    if (!is_file(fd))
        return std::nullopt;
    const std::string_view path = name_of(event);
    const std::size_t slash = path.rfind('/');
    if (slash == std::string_view::npos)
        return "/";
    return slash + 1 < path.size() ? path.substr(slash + 1) : path;
}

std::optional<std::string_view> real_path(const Fd& fd) {
    return fd.is(Fd::kernel_path) ? std::optional(fd.name.view()) : std::nullopt;
}

std::optional<bool> path_differs(const Fd& fd) {
    return fd.is(Fd::kernel_path) ? std::optional(!fd.others->given.empty()) : std::nullopt;
}

std::string_view l4proto(const Fd& fd) {
    const std::string_view name = state::l4_name(fd.is_ip() ? fd.shown_l4() : state::L4::none);
    return name.empty() ? "<NA>" : name;
}

std::optional<std::string_view> family(const Fd& fd) {
    if (fd.is_ip())
        return "ip";
    return fd.kind == FdKind::unix_socket ? std::optional<std::string_view>("unix") : std::nullopt;
}

std::optional<std::string> thread_and_number(const EventContext& event) {
    if (!concerns_fd(event))
        return std::nullopt;
    return std::to_string(event.thread->tid) + std::to_string(event.fd_num);
}

template <Fd::Flags flag>
bool has_flag(const Fd& fd) {
    return fd.is(flag);
}

// Device numbers have the form of new_encode_dev() in include/linux/kdev_t.h.
std::uint32_t device_major(const Fd& fd) {
    return fd.dev >> 8 & 0xfff;
}
std::uint32_t device_minor(const Fd& fd) {
    return (fd.dev & 0xff) | (fd.dev >> 12 & 0xfff00);
}

constexpr FieldInfo kFields[] = {
    {"fd.num", kInt64, "Number of the fd that the event uses or makes; -1 if it made none.",
     of_event<number>, cost(1)},
    {"fd.type", kText,
     "Type of the fd: file, directory, ipv4, ipv6, unix, pipe, event, signalfd, eventpoll, "
     "inotify, timerfd, netlink, bpf, userfaultfd, io_uring, memfd, pidfd.",
     of_fd<kind_name>, cost(1)},
    {"fd.typechar", kText,
     "fd.type as one character: f, 4, 6, u, p, e, s, l, i, t, n, b, r, m, P; o for others.",
     of_event<type_letter>},
    {"fd.types", kTexts, "Types of all open fds, each once; or of one: fd.types[0].", types, kIndex,
     Plurality::list, cost(30)},
    {"fd.name", kText,
     "Name of the fd: a file's path, a connection's addresses. A condition holds if it holds for "
     "the kernel's path of the file or for the path that the process gave.",
     name_values, cost(2)},
    {"fd.nameraw", kText, "A file's path as the process gave it.", raw_name, cost(2)},
    {"fd.realpath", kText,
     "The kernel's path of the file, by whatever name the process opened it. No value if the "
     "driver or the capture does not tell it.",
     of_fd<real_path>, cost(2)},
    {"fd.path_differs", kBool,
     "Whether the kernel's path differs from the one that the process gave, made whole.",
     of_fd<path_differs>, cost(1)},
    {"fd.directory", kText, "Directory of the file.", directory_values, cost(3)},
    {"fd.filename", kText, "Name of the file without its directory.", of_fd<file_name>, cost(3)},
    {"fd.containername", kText, "The container's id, ':' and fd.name.", of_event<name_in_container>,
     cost(8)},
    {"fd.containerdirectory", kText, "The container's id, ':' and fd.directory.",
     of_event<directory_in_container>, cost(8)},
    {"fd.l4proto", kText, "Protocol of a socket: tcp, udp, icmp or raw.", of_fd<l4proto>, cost(1)},
    {"fd.sockfamily", kText, "Family of a socket: ip or unix.", of_fd<family>, cost(1)},
    {"fd.uid", kText, "Thread id and fd number, joined.", of_event<thread_and_number>},
    {"fd.connected", kBool, "Whether a socket is connected.", of_fd<has_flag<Fd::connected>>,
     cost(1)},
    {"fd.name_changed", kBool, "Whether this event gave the fd another name.",
     of_fd<[](const EventContext& event, const Fd&) { return event.fd_name_changed; }>, cost(1)},
    {"fd.dev", kDevice, "Device of the file.", of_fd<&Fd::dev>, cost(1), FieldPrint::hex},
    {"fd.dev.major", kDevice, "Major number of fd.dev.", of_fd<device_major>, cost(1)},
    {"fd.dev.minor", kDevice, "Minor number of fd.dev.", of_fd<device_minor>, cost(1)},
    {"fd.ino", kInt64, "Inode of the file.", of_fd<&Fd::ino>, cost(1)},
    {"fd.is_upper_layer", kBool, "Whether the file is in the upper layer of an overlay.",
     of_fd<has_flag<Fd::upper_layer>>, cost(1)},
    {"fd.is_lower_layer", kBool, "Whether the file is in the lower layer of an overlay.",
     of_fd<has_flag<Fd::lower_layer>>, cost(1)},
};

} // namespace

std::span<const FieldInfo> fd_fields() {
    return kFields;
}

} // namespace tiercel::filter
