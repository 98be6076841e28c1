// SPDX-License-Identifier: Apache-2.0
//
// Handlers of the events that open, copy and close file descriptors. update_sockets.cpp has those
// of sockets.
#include <fcntl.h>

#include <optional>
#include <string>

#include "analyzer/state/path.h"
#include "analyzer/state/update.h"
#include "shared/event/params.h"

namespace tiercel::state {
namespace {

using namespace event;

namespace file_flags = event::flags::file_flags;
namespace creat_flags = event::flags::creat_flags;
namespace close_range_flags = event::flags::close_range_flags;
namespace fcntl_commands = event::flags::fcntl_commands;
namespace bpf_commands = event::flags::bpf_commands;

struct Opened {
    std::string_view name;
    std::uint32_t flags = 0;
    std::uint32_t dev = 0;
    std::uint64_t ino = 0;
    std::string directory;
    std::string_view real_path{};   // the kernel's, if the event has it
    std::string_view origin_path{}; // the same without bind mounts
};

void add_opened(const Update& update, const Opened& opened) {
    if (!update.succeeded() || update.event.param(Update::kResult).empty())
        return;
    Fd fd;
    fd.kind = (opened.flags & file_flags::kO_DIRECTORY) != 0 ? FdKind::directory : FdKind::file;
    fd.open_flags = opened.flags;
    fd.dev = opened.dev;
    fd.ino = opened.ino;
    fd.set(Fd::cloexec, (opened.flags & file_flags::kO_CLOEXEC) != 0);
    fd.set(Fd::upper_layer, (opened.flags & file_flags::kFD_UPPER_LAYER) != 0);
    fd.set(Fd::lower_layer, (opened.flags & file_flags::kFD_LOWER_LAYER) != 0);
    fd.name = update.text(join_path(opened.directory, opened.name));
    if (fd.name.view() == opened.name)
        fd.set(Fd::whole_path);
    else
        fd.others.edit().raw = update.text(opened.name);
    update.rename(fd, opened.real_path);
    if (!opened.origin_path.empty() && opened.origin_path != fd.name.view() &&
        opened.origin_path != fd.others->given.view())
        fd.others.edit().origin = update.text(opened.origin_path);
    update.add_fd(update.result(), std::move(fd));
}

// Takes the kernel's paths of the opened file; `real` is followed by the other.
void take_paths(const Update& update, std::uint32_t real, Opened& opened) {
    opened.real_path = update.kernel_path(real);
    opened.origin_path = update.kernel_path(real + 1);
}

// Prefers the arguments of the enter event, which old captures have, because the kernel used these.
// The exit event's come from the process's memory after the call, when they may have changed. Flags
// from O_F_CREATED on come with the exit event, because the kernel alone knows them.
void prefer_enter(const Update& update, std::uint32_t name, std::optional<std::uint32_t> flags,
                  Opened& opened) {
    const auto enter = update.enter();
    if (!enter || enter->param(name).empty())
        return;
    opened.name = enter->text(name);
    if (flags)
        opened.flags = enter->number<std::uint32_t>(*flags).value_or(0) |
                       (opened.flags & ~(file_flags::kO_F_CREATED - 1));
}

void apply_open(const Update& update) {
    namespace open = param::SYSCALL_OPEN_X;
    namespace enter = param::SYSCALL_OPEN_E;
    Opened opened{update.event.text(open::name),
                  update.flags_param(open::flags),
                  update.flags_param(open::dev),
                  update.event.number<std::uint64_t>(open::ino).value_or(0),
                  {}};
    prefer_enter(update, enter::name, enter::flags, opened);
    take_paths(update, open::realpath, opened);
    opened.directory = update.thread().cwd();
    add_opened(update, opened);
}

void apply_creat(const Update& update) {
    namespace creat = param::SYSCALL_CREAT_X;
    const std::uint16_t layer = update.event.number<std::uint16_t>(creat::creat_flags).value_or(0);
    Opened opened{update.event.text(creat::name),
                  (layer & creat_flags::kFD_UPPER_LAYER_CREAT) != 0   ? file_flags::kFD_UPPER_LAYER
                  : (layer & creat_flags::kFD_LOWER_LAYER_CREAT) != 0 ? file_flags::kFD_LOWER_LAYER
                                                                      : 0,
                  update.flags_param(creat::dev),
                  update.event.number<std::uint64_t>(creat::ino).value_or(0),
                  {}};
    prefer_enter(update, param::SYSCALL_CREAT_E::name, std::nullopt, opened);
    take_paths(update, creat::realpath, opened);
    opened.directory = update.thread().cwd();
    add_opened(update, opened);
}

// openat and openat2 have the same parameters up to the file's device, and again from there on.
void open_at(const Update& update, std::uint32_t dev) {
    namespace openat = param::SYSCALL_OPENAT_2_X;
    namespace openat2 = param::SYSCALL_OPENAT2_X;
    namespace enter = param::SYSCALL_OPENAT_2_E;
    static_assert(+openat::dirfd == +openat2::dirfd && +openat::name == +openat2::name &&
                  +openat::flags == +openat2::flags &&
                  openat::realpath - openat::dev == openat2::realpath - openat2::dev);
    constexpr std::uint32_t kIno = openat::ino - openat::dev;
    constexpr std::uint32_t kRealpath = openat::realpath - openat::dev;
    static_assert(+enter::name == +param::SYSCALL_OPENAT2_E::name &&
                  +enter::flags == +param::SYSCALL_OPENAT2_E::flags);
    Opened opened{update.event.text(openat::name),
                  update.flags_param(openat::flags),
                  update.flags_param(dev),
                  update.event.number<std::uint64_t>(dev + kIno).value_or(0),
                  {}};
    prefer_enter(update, enter::name, enter::flags, opened);
    take_paths(update, dev + kRealpath, opened);
    if (!opened.name.starts_with('/'))
        opened.directory =
            update.directory(update.event.number<std::int64_t>(openat::dirfd).value_or(kAtFdcwd));
    add_opened(update, opened);
}
void apply_openat(const Update& update) {
    open_at(update, param::SYSCALL_OPENAT_2_X::dev);
}
void apply_openat2(const Update& update) {
    open_at(update, param::SYSCALL_OPENAT2_X::dev);
}

void apply_open_by_handle(const Update& update) {
    namespace handle = param::SYSCALL_OPEN_BY_HANDLE_AT_X;
    Opened opened{update.event.text(handle::path), update.flags_param(handle::flags),
                  update.flags_param(handle::dev),
                  update.event.number<std::uint64_t>(handle::ino).value_or(0), "/"};
    take_paths(update, handle::realpath, opened);
    add_opened(update, opened);
}

void apply_close(const Update& update) {
    if (update.succeeded() && update.now.fd != nullptr)
        update.close_later(update.now.fd_num, update.now.fd_num);
}

void apply_close_range(const Update& update) {
    namespace range = param::SYSCALL_CLOSE_RANGE_X;
    if (!update.succeeded())
        return;
    const std::uint32_t flags = update.flags_param(range::flags);
    const std::uint32_t first = update.flags_param(range::first);
    const std::uint32_t last = update.flags_param(range::last);
    std::shared_ptr<FdTable>& fds = update.process().fds;
    if ((flags & close_range_flags::kCLOSE_RANGE_UNSHARE) != 0 && fds.use_count() > 1)
        fds = make_fds(*fds);
    if ((flags & close_range_flags::kCLOSE_RANGE_CLOEXEC) != 0)
        fds->close_range(first, last, true);
    else
        update.close_later(first, last);
}

void copy_fd(const Update& update, std::int64_t to, bool cloexec) {
    if (update.now.fd ==
        nullptr) { // its file is not known, but the file that was at `to` is closed
        if (to >= 0)
            update.process().fds->erase(to);
        update.now.fd_num = to;
        return;
    }
    Fd copy = *update.now.fd;
    copy.set(Fd::cloexec, cloexec);
    update.add_fd(to, std::move(copy));
}

void apply_dup(const Update& update) {
    if (!update.succeeded() || update.event.param(Update::kResult).empty())
        return;
    const std::int64_t to = update.result();
    if (update.event.code() == SYSCALL_DUP2_X && to == update.now.fd_num)
        return; // dup2 of an fd onto itself does nothing
    const bool cloexec =
        update.event.code() == SYSCALL_DUP3_X &&
        (update.flags_param(param::SYSCALL_DUP3_X::flags) & file_flags::kO_CLOEXEC) != 0;
    copy_fd(update, to, cloexec);
}

// The module's file, whose descriptor may have come by a way that no event tells.
void apply_finit_module(const Update& update) {
    namespace finit_module = param::SYSCALL_FINIT_MODULE_X;
    const std::string_view path = update.kernel_path(finit_module::realpath);
    const Fd* known = update.now.fd;
    if (path.empty() || (known != nullptr && known->is(Fd::kernel_path) && known->name == path))
        return;
    if (known != nullptr && !known->is(Fd::kernel_path))
        return update.rename(*update.edit_fd(), path);
    Fd fd;
    fd.kind = FdKind::file;
    fd.name = update.text(path);
    update.rename(fd, path);
    update.add_fd(update.now.fd_num, std::move(fd));
}

void apply_fcntl(const Update& update) {
    namespace fcntl = param::SYSCALL_FCNTL_X;
    if (!update.succeeded() || update.event.param(Update::kResult).empty())
        return;
    const std::uint8_t command = update.event.number<std::uint8_t>(fcntl::cmd).value_or(0);
    if (command == fcntl_commands::kF_DUPFD || command == fcntl_commands::kF_DUPFD_CLOEXEC)
        copy_fd(update, update.result(), command == fcntl_commands::kF_DUPFD_CLOEXEC);
    else if (command == fcntl_commands::kF_SETFD && update.now.fd != nullptr)
        if (const auto argument = update.event.number<std::uint64_t>(fcntl::arg))
            update.edit_fd()->set(Fd::cloexec, (*argument & FD_CLOEXEC) != 0);
}

void apply_pipe(const Update& update) {
    namespace pipe = param::SYSCALL_PIPE_X;
    namespace pipe2 = param::SYSCALL_PIPE2_X;
    static_assert(+pipe::fd1 == +pipe2::fd1 && +pipe::fd2 == +pipe2::fd2 &&
                  +pipe::ino == +pipe2::ino);
    const auto first = update.event.number<std::int64_t>(pipe::fd1);
    const auto second = update.event.number<std::int64_t>(pipe::fd2);
    if (!update.succeeded() || !first || !second || *first == *second)
        return;
    Fd fd;
    fd.kind = FdKind::pipe;
    fd.ino = update.event.number<std::uint64_t>(pipe::ino).value_or(0);
    if (update.event.code() == SYSCALL_PIPE2_X) {
        fd.open_flags = update.flags_param(pipe2::flags);
        fd.set(Fd::cloexec, (fd.open_flags & file_flags::kO_CLOEXEC) != 0);
    }
    update.add_fd(*first, fd);
    update.add_fd(*second, std::move(fd));
}

void add_plain(const Update& update, FdKind kind, std::string_view name, bool cloexec) {
    if (!update.succeeded() || update.event.param(Update::kResult).empty())
        return;
    Fd fd;
    fd.kind = kind;
    fd.name = update.text(name);
    fd.set(Fd::cloexec, cloexec);
    update.add_fd(update.result(), std::move(fd));
}

// Whether parameter `index`, of 16 or 32 bits, has O_CLOEXEC of file_flags.
bool cloexec_in(const Update& update, std::uint32_t index) {
    const std::uint32_t flags = update.event.number<std::uint32_t>(index).value_or(
        update.event.number<std::uint16_t>(index).value_or(0));
    return (flags & file_flags::kO_CLOEXEC) != 0;
}

void apply_eventfd(const Update& update) {
    add_plain(update, FdKind::event, "", false);
}
void apply_eventfd2(const Update& update) {
    add_plain(update, FdKind::event, "", cloexec_in(update, param::SYSCALL_EVENTFD2_X::flags));
}
void apply_signalfd(const Update& update) {
    add_plain(update, FdKind::signalfd, "", false);
}
void apply_signalfd4(const Update& update) {
    add_plain(update, FdKind::signalfd, "", cloexec_in(update, param::SYSCALL_SIGNALFD4_X::flags));
}
void apply_timerfd(const Update& update) {
    add_plain(update, FdKind::timerfd, "", false);
}
void apply_inotify(const Update& update) {
    add_plain(update, FdKind::inotify, "", false);
}
void apply_inotify1(const Update& update) {
    add_plain(update, FdKind::inotify, "",
              cloexec_in(update, param::SYSCALL_INOTIFY_INIT1_X::flags));
}
void apply_epoll(const Update& update) {
    add_plain(update, FdKind::eventpoll, "", false);
}
void apply_epoll1(const Update& update) {
    const std::uint32_t flags = update.flags_param(param::SYSCALL_EPOLL_CREATE1_X::flags);
    add_plain(update, FdKind::eventpoll, "",
              (flags & event::flags::epoll_create1_flags::kEPOLL_CLOEXEC) != 0);
}
void apply_userfaultfd(const Update& update) {
    add_plain(update, FdKind::userfaultfd, "",
              cloexec_in(update, param::SYSCALL_USERFAULTFD_X::flags));
}
void apply_io_uring(const Update& update) {
    add_plain(update, FdKind::io_uring, "", true); // the kernel always sets close-on-exec
}
void apply_memfd(const Update& update) {
    namespace memfd = param::SYSCALL_MEMFD_CREATE_X;
    add_plain(update, FdKind::memfd, update.event.text(memfd::name),
              (update.flags_param(memfd::flags) & event::flags::memfd_create_flags::kMFD_CLOEXEC) !=
                  0);
}
void apply_pidfd(const Update& update) {
    add_plain(update, FdKind::pidfd, "", true);
}

// These commands return an fd; the results of the others are no fds.
void apply_bpf(const Update& update) {
    switch (update.flags_param(param::SYSCALL_BPF_2_X::cmd)) {
    case bpf_commands::kBPF_MAP_CREATE:
    case bpf_commands::kBPF_PROG_LOAD:
    case bpf_commands::kBPF_OBJ_GET:
    case bpf_commands::kBPF_PROG_GET_FD_BY_ID:
    case bpf_commands::kBPF_MAP_GET_FD_BY_ID:
    case bpf_commands::kBPF_RAW_TRACEPOINT_OPEN:
    case bpf_commands::kBPF_BTF_LOAD:
    case bpf_commands::kBPF_BTF_GET_FD_BY_ID:
    case bpf_commands::kBPF_LINK_CREATE:
    case bpf_commands::kBPF_LINK_GET_FD_BY_ID:
    case bpf_commands::kBPF_ENABLE_STATS:
    case bpf_commands::kBPF_ITER_CREATE: add_plain(update, FdKind::bpf, "", true); break;
    default: break;
    }
}

// pidfd_getfd copies an fd of another process. The driver has told its file just before, unless the
// event comes from a capture of another program.
void apply_pidfd_getfd(const Update& update) {
    const std::int64_t number = update.result();
    const Fd* told = update.succeeded() ? update.process().fds->find(number) : nullptr;
    if (told == nullptr)
        return add_plain(update, FdKind::unknown, "", true);
    Fd fd = *told;
    fd.set(Fd::cloexec);
    update.add_fd(number, std::move(fd));
}

constexpr Handler kHandlers[] = {
    {SYSCALL_OPEN_X, apply_open},
    {SYSCALL_CREAT_X, apply_creat},
    {SYSCALL_OPENAT_2_X, apply_openat},
    {SYSCALL_OPENAT2_X, apply_openat2},
    {SYSCALL_OPEN_BY_HANDLE_AT_X, apply_open_by_handle},
    {SYSCALL_CLOSE_X, apply_close},
    {SYSCALL_CLOSE_RANGE_X, apply_close_range},
    {SYSCALL_DUP_1_X, apply_dup},
    {SYSCALL_DUP2_X, apply_dup},
    {SYSCALL_DUP3_X, apply_dup},
    {SYSCALL_FCNTL_X, apply_fcntl},
    {SYSCALL_FINIT_MODULE_X, apply_finit_module},
    {SYSCALL_PIPE_X, apply_pipe},
    {SYSCALL_PIPE2_X, apply_pipe},
    {SYSCALL_EVENTFD_X, apply_eventfd},
    {SYSCALL_EVENTFD2_X, apply_eventfd2},
    {SYSCALL_SIGNALFD_X, apply_signalfd},
    {SYSCALL_SIGNALFD4_X, apply_signalfd4},
    {SYSCALL_TIMERFD_CREATE_X, apply_timerfd},
    {SYSCALL_INOTIFY_INIT_X, apply_inotify},
    {SYSCALL_INOTIFY_INIT1_X, apply_inotify1},
    {SYSCALL_EPOLL_CREATE_X, apply_epoll},
    {SYSCALL_EPOLL_CREATE1_X, apply_epoll1},
    {SYSCALL_USERFAULTFD_X, apply_userfaultfd},
    {SYSCALL_IO_URING_SETUP_X, apply_io_uring},
    {SYSCALL_MEMFD_CREATE_X, apply_memfd},
    {SYSCALL_PIDFD_OPEN_X, apply_pidfd},
    {SYSCALL_PIDFD_GETFD_X, apply_pidfd_getfd},
    {SYSCALL_BPF_2_X, apply_bpf},
};

} // namespace

std::span<const Handler> file_handlers() {
    return kHandlers;
}

} // namespace tiercel::state
