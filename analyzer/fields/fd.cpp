// SPDX-License-Identifier: Apache-2.0
//
// Fields of the event's fd, its two ends apart.
#include <string>

#include "analyzer/fields/params.h"
#include "analyzer/fields/values.h"
#include "analyzer/state/path.h"
#include "analyzer/state/update.h"

namespace tiercel::filter {
namespace {

using state::Fd;
using state::FdKind;

bool concerns_fd(const EventContext& event) {
    constexpr std::uint16_t kFdFlags = event::CREATES_FD | event::USES_FD | event::DESTROYS_FD;
    return event.thread != nullptr && (event.event->info().flags & kFdFlags) != 0;
}

bool is_file(const Fd& fd) {
    return fd.kind == FdKind::file || fd.kind == FdKind::file_with_flags;
}

// The name that an event would have given its fd, had it succeeded.
void append_intended_name(const EventContext& event, bool raw_name, std::string& out) {
    const event::EventView& view = *event.event;
    std::string meaning;
    switch (view.code()) {
    case event::SYSCALL_OPEN_X:
    case event::SYSCALL_CREAT_X:
    case event::SOCKET_ACCEPT_5_X:
    case event::SOCKET_ACCEPT4_6_X:
    case event::SOCKET_CONNECT_X: {
        std::string raw;
        append_param(event, 1, raw, meaning);
        out += meaning.empty() || raw_name ? raw : meaning;
        return;
    }
    case event::SYSCALL_OPENAT_2_X:
    case event::SYSCALL_OPENAT2_X: {
        const std::string_view path = view.text(2);
        if (raw_name) {
            out += path;
            return;
        }
        const std::int64_t dirfd = view.number<std::int64_t>(1).value_or(state::kAtFdcwd);
        const Fd* directory = dirfd != state::kAtFdcwd ? event.thread->fd(dirfd) : nullptr;
        state::join_path(dirfd == state::kAtFdcwd ? event.thread->cwd()
                         : directory != nullptr   ? directory->name.view()
                                                  : std::string_view("<UNKNOWN>"),
                         path, out);
        return;
    }
    case event::SYSCALL_OPEN_BY_HANDLE_AT_X: out += view.text(3); return;
    default: return;
    }
}

Values intended_name(const EventContext& event, bool raw_name, Value& single) {
    if (!event.event->info().is_exit())
        return no_value();
    std::string& text = event.arena->scratch();
    append_intended_name(event, raw_name, text);
    return text_value(single, event.arena->copy(text));
}

Values num(const EventContext& event, const Argument&, Value& single) {
    return concerns_fd(event) ? number_value(single, event.fd_num) : no_value();
}

Values type(const EventContext& event, const Argument&, Value& single) {
    return concerns_fd(event) && event.fd != nullptr
               ? text_value(single, state::fd_kind_name(event.fd->kind))
               : no_value();
}

// What a call that failed would have made.
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
    default: return 'o';
    }
}

Values type_letter(const EventContext& event, const Argument&, Value& single) {
    if (!concerns_fd(event))
        return no_value();
    const char letter = event.fd != nullptr ? state::fd_kind_letter(event.fd->kind)
                                            : intended_letter(event.event->code());
    return text_value(single, event.arena->copy({&letter, 1}));
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

enum NameVariant : std::uint16_t { PLAIN = 0, WITH_CONTAINER = 1 };

// With the container's id before it, where asked for.
Values finish(const EventContext& event, const Argument& argument, std::string_view text,
              Value& single) {
    if (argument.variant == PLAIN)
        return text_value(single, text);
    std::string& joined = event.arena->scratch();
    joined += event.thread->container_id.view();
    joined += ':';
    joined += text;
    return text_value(single, event.arena->copy(joined));
}

Values name(const EventContext& event, const Argument& argument, Value& single) {
    if (!concerns_fd(event))
        return no_value();
    if (event.fd != nullptr)
        return finish(event, argument, event.fd->name.view(), single);
    const Values intended = intended_name(event, false, single);
    return intended.present ? finish(event, argument, single.text, single) : intended;
}

Values raw_name(const EventContext& event, const Argument&, Value& single) {
    if (!concerns_fd(event))
        return no_value();
    if (event.fd != nullptr)
        return text_value(single, event.fd->raw_name.view());
    return intended_name(event, true, single);
}

Values directory(const EventContext& event, const Argument& argument, Value& single) {
    if (!concerns_fd(event))
        return no_value();
    std::string_view path;
    if (event.fd == nullptr) {
        if (!intended_name(event, false, single).present)
            return no_value();
        path = single.text;
    } else if (event.fd->kind == FdKind::directory) {
        return finish(event, argument, event.fd->name.view(), single);
    } else if (is_file(*event.fd)) {
        path = event.fd->name.view();
    } else {
        return no_value();
    }
    const std::size_t slash = path.rfind('/');
    if (slash == std::string_view::npos || slash == 0)
        return finish(event, argument, "/", single);
    return finish(event, argument, slash + 1 < path.size() ? path.substr(0, slash) : path, single);
}

Values file_name(const EventContext& event, const Argument&, Value& single) {
    if (!concerns_fd(event) || event.fd == nullptr || !is_file(*event.fd))
        return no_value();
    const std::string_view path = event.fd->name.view();
    const std::size_t slash = path.rfind('/');
    if (slash == std::string_view::npos)
        return text_value(single, "/");
    return text_value(single, slash + 1 < path.size() ? path.substr(slash + 1) : path);
}

Values l4proto(const EventContext& event, const Argument&, Value& single) {
    if (!concerns_fd(event) || event.fd == nullptr)
        return no_value();
    const std::string_view name =
        state::l4_name(event.fd->is_ip() ? event.fd->shown_l4() : state::L4::none);
    return text_value(single, name.empty() ? "<NA>" : name);
}

Values family(const EventContext& event, const Argument&, Value& single) {
    if (!concerns_fd(event) || event.fd == nullptr)
        return no_value();
    if (event.fd->is_ip())
        return text_value(single, "ip");
    return event.fd->kind == FdKind::unix_socket ? text_value(single, "unix") : no_value();
}

Values uid(const EventContext& event, const Argument&, Value& single) {
    if (!concerns_fd(event))
        return no_value();
    std::string& text = event.arena->scratch();
    text = std::to_string(event.thread->tid) + std::to_string(event.fd_num);
    return text_value(single, event.arena->copy(text));
}

Values connected(const EventContext& event, const Argument&, Value& single) {
    if (!concerns_fd(event) || event.fd == nullptr)
        return no_value();
    return bool_value(single, event.fd->is(Fd::connected));
}

Values name_changed(const EventContext& event, const Argument&, Value& single) {
    if (!concerns_fd(event) || event.fd == nullptr)
        return no_value();
    return bool_value(single, event.fd_name_changed);
}

enum NumberVariant : std::uint16_t { DEV, DEV_MAJOR, DEV_MINOR, INO };

// Device numbers are encoded as the kernel's new_encode_dev() does.
Values number(const EventContext& event, const Argument& argument, Value& single) {
    if (!concerns_fd(event) || event.fd == nullptr)
        return no_value();
    const std::uint32_t dev = event.fd->dev;
    switch (argument.variant) {
    case DEV: return unsigned_value(single, dev);
    case DEV_MAJOR: return unsigned_value(single, dev >> 8 & 0xfff);
    case DEV_MINOR: return unsigned_value(single, (dev & 0xff) | (dev >> 12 & 0xfff00));
    default: return unsigned_value(single, event.fd->ino);
    }
}

enum LayerVariant : std::uint16_t { UPPER = Fd::upper_layer, LOWER = Fd::lower_layer };

Values layer(const EventContext& event, const Argument& argument, Value& single) {
    if (!concerns_fd(event) || event.fd == nullptr)
        return no_value();
    return bool_value(single, (event.fd->flags & argument.variant) != 0);
}

constexpr ValueType T = ValueType::text;
constexpr ValueType U = ValueType::unsigned_number;
constexpr ValueType S = ValueType::signed_number;
constexpr ValueType B = ValueType::boolean;
constexpr auto kNone = FieldArgument::none;
constexpr auto kSingle = Plurality::single;

constexpr FieldInfo kFields[] = {
    {"fd.num", "INT64", S, "Number of the fd that the event uses or makes; -1 when it made none.",
     num, 0, kNone, kSingle, 1},
    {"fd.type", "CHARBUF", T,
     "What the fd is: file, directory, ipv4, ipv6, unix, pipe, event, signalfd, eventpoll, "
     "inotify, timerfd, netlink, bpf, userfaultfd, io_uring, memfd, pidfd.",
     type, 0, kNone, kSingle, 1},
    {"fd.typechar", "CHARBUF", T,
     "fd.type as one character: f, 4, 6, u, p, e, s, l, i, t, n, b, r, m, P; o for others.",
     type_letter},
    {"fd.types", "LIST(CHARBUF)", T, "Types of all open fds, each once; or of one: fd.types[0].",
     types, 0, FieldArgument::optional_index, Plurality::list, 30},
    {"fd.name", "CHARBUF", T, "Name of the fd: a file's path, a connection's addresses.", name,
     PLAIN, kNone, kSingle, 2},
    {"fd.nameraw", "CHARBUF", T, "A file's path as the process gave it.", raw_name, 0, kNone,
     kSingle, 2},
    {"fd.directory", "CHARBUF", T, "Directory of the file.", directory, PLAIN, kNone, kSingle, 3},
    {"fd.filename", "CHARBUF", T, "Name of the file without its directory.", file_name, 0, kNone,
     kSingle, 3},
    {"fd.containername", "CHARBUF", T, "The container's id, ':' and fd.name.", name, WITH_CONTAINER,
     kNone, kSingle, 8},
    {"fd.containerdirectory", "CHARBUF", T, "The container's id, ':' and fd.directory.", directory,
     WITH_CONTAINER, kNone, kSingle, 8},
    {"fd.l4proto", "CHARBUF", T, "Protocol of a socket: tcp, udp, icmp or raw.", l4proto, 0, kNone,
     kSingle, 1},
    {"fd.sockfamily", "CHARBUF", T, "Family of a socket: ip or unix.", family, 0, kNone, kSingle,
     1},
    {"fd.uid", "CHARBUF", T, "Thread id and fd number, joined.", uid},
    {"fd.connected", "BOOL", B, "Whether a socket is connected.", connected, 0, kNone, kSingle, 1},
    {"fd.name_changed", "BOOL", B, "Whether this event gave the fd another name.", name_changed, 0,
     kNone, kSingle, 1},
    {"fd.dev", "INT32", U, "Device that the file lies on.", number, DEV, kNone, kSingle, 1,
     FieldPrint::hex},
    {"fd.dev.major", "INT32", U, "Major number of fd.dev.", number, DEV_MAJOR, kNone, kSingle, 1},
    {"fd.dev.minor", "INT32", U, "Minor number of fd.dev.", number, DEV_MINOR, kNone, kSingle, 1},
    {"fd.ino", "INT64", U, "Inode of the file.", number, INO, kNone, kSingle, 1},
    {"fd.is_upper_layer", "BOOL", B, "Whether the file lies in the upper layer of an overlay.",
     layer, UPPER, kNone, kSingle, 1},
    {"fd.is_lower_layer", "BOOL", B, "Whether the file lies in the lower layer of an overlay.",
     layer, LOWER, kNone, kSingle, 1},
};

} // namespace

std::span<const FieldInfo> fd_fields() {
    return kFields;
}

} // namespace tiercel::filter
