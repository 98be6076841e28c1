// SPDX-License-Identifier: Apache-2.0
//
// Fds that are opened, copied and closed, sockets apart.
#include <string>

#include "analyzer/state/path.h"
#include "analyzer/state/update.h"

namespace tiercel::state {
namespace {

using namespace event;

// Values of file_flags in the event table.
constexpr std::uint32_t kDirectory = 1u << 10;
constexpr std::uint32_t kCloexec = 1u << 12;
constexpr std::uint32_t kCreated = 1u << 14;
constexpr std::uint32_t kUpperLayer = 1u << 15;
constexpr std::uint32_t kLowerLayer = 1u << 16;

struct Opened {
    std::string_view name;
    std::uint32_t flags = 0;
    std::uint32_t dev = 0;
    std::uint64_t ino = 0;
    std::string directory;
};

void add_opened(const Update& update, const Opened& opened) {
    if (!update.succeeded() || update.event.param(0).empty())
        return;
    Fd fd;
    fd.kind = (opened.flags & kDirectory) != 0 ? FdKind::directory : FdKind::file;
    fd.open_flags = opened.flags;
    fd.dev = opened.dev;
    fd.ino = opened.ino;
    fd.set(Fd::cloexec, (opened.flags & kCloexec) != 0);
    fd.set(Fd::upper_layer, (opened.flags & kUpperLayer) != 0);
    fd.set(Fd::lower_layer, (opened.flags & kLowerLayer) != 0);
    fd.name = Text(join_path(opened.directory, opened.name));
    fd.raw_name = Text(opened.name);
    update.add_fd(update.result(), std::move(fd));
}

// Old captures: what the call was given when it started is what the kernel used, unlike what lay in
// the process's memory when it ended. Flags that only the kernel knows come with the exit event.
void prefer_enter(const Update& update, std::uint32_t name, std::uint32_t flags, Opened& opened) {
    const auto enter = update.enter();
    if (!enter || enter->param(name).empty())
        return;
    opened.name = enter->text(name);
    if (flags != 0)
        opened.flags =
            enter->number<std::uint32_t>(flags).value_or(0) | (opened.flags & ~(kCreated - 1));
}

void apply_open(const Update& update) {
    Opened opened{update.event.text(1),
                  update.flags_param(2),
                  update.flags_param(4),
                  update.event.number<std::uint64_t>(5).value_or(0),
                  {}};
    prefer_enter(update, 0, 1, opened);
    opened.directory = update.thread().cwd();
    add_opened(update, opened);
}

void apply_creat(const Update& update) {
    const std::uint16_t layer = update.event.number<std::uint16_t>(5).value_or(0);
    Opened opened{update.event.text(1),
                  (layer & 1) != 0   ? kUpperLayer
                  : (layer & 2) != 0 ? kLowerLayer
                                     : 0,
                  update.flags_param(3),
                  update.event.number<std::uint64_t>(4).value_or(0),
                  {}};
    prefer_enter(update, 0, 0, opened);
    opened.directory = update.thread().cwd();
    add_opened(update, opened);
}

void open_at(const Update& update, std::uint32_t dev, std::uint32_t ino) {
    Opened opened{update.event.text(2),
                  update.flags_param(3),
                  update.flags_param(dev),
                  update.event.number<std::uint64_t>(ino).value_or(0),
                  {}};
    prefer_enter(update, 1, 2, opened);
    if (!opened.name.starts_with('/'))
        opened.directory =
            update.directory(update.event.number<std::int64_t>(1).value_or(kAtFdcwd));
    add_opened(update, opened);
}
void apply_openat(const Update& update) {
    open_at(update, 5, 6);
}
void apply_openat2(const Update& update) {
    open_at(update, 6, 7);
}

void apply_open_by_handle(const Update& update) {
    add_opened(update, {update.event.text(3), update.flags_param(2), update.flags_param(4),
                        update.event.number<std::uint64_t>(5).value_or(0), "/"});
}

void apply_close(const Update& update) {
    if (update.succeeded() && update.now.fd != nullptr)
        update.close_later(update.now.fd_num, update.now.fd_num);
}

constexpr std::uint32_t kRangeUnshare = 2;
constexpr std::uint32_t kRangeCloexec = 4;

void apply_close_range(const Update& update) {
    if (!update.succeeded())
        return;
    const std::uint32_t flags = update.flags_param(3);
    std::shared_ptr<FdTable>& fds = update.process().fds;
    if ((flags & kRangeUnshare) != 0 && fds.use_count() > 1)
        fds = std::make_shared<FdTable>(*fds);
    if ((flags & kRangeCloexec) != 0)
        fds->close_range(update.flags_param(1), update.flags_param(2), true);
    else
        update.close_later(update.flags_param(1), update.flags_param(2));
}

void copy_fd(const Update& update, std::int64_t to, bool cloexec) {
    if (update.now.fd == nullptr) { // not known what it is: what stood there is gone all the same
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
    if (!update.succeeded() || update.event.param(0).empty())
        return;
    const std::int64_t to = update.result();
    if (update.event.code() == SYSCALL_DUP2_X && to == update.now.fd_num)
        return; // dup2 of an fd onto itself does nothing
    const bool cloexec =
        update.event.code() == SYSCALL_DUP3_X && (update.flags_param(3) & kCloexec) != 0;
    copy_fd(update, to, cloexec);
}

// Values of fcntl_commands.
constexpr std::uint8_t kDupFd = 1;
constexpr std::uint8_t kSetFd = 3;
constexpr std::uint8_t kDupFdCloexec = 26;
constexpr std::uint64_t kFdCloexec = 1; // FD_CLOEXEC

void apply_fcntl(const Update& update) {
    if (!update.succeeded() || update.event.param(0).empty())
        return;
    const std::uint8_t command = update.event.number<std::uint8_t>(2).value_or(0);
    if (command == kDupFd || command == kDupFdCloexec)
        copy_fd(update, update.result(), command == kDupFdCloexec);
    else if (command == kSetFd && update.now.fd != nullptr)
        if (const auto argument = update.event.number<std::uint64_t>(3))
            update.now.fd->set(Fd::cloexec, (*argument & kFdCloexec) != 0);
}

void apply_pipe(const Update& update) {
    const auto first = update.event.number<std::int64_t>(1);
    const auto second = update.event.number<std::int64_t>(2);
    if (!update.succeeded() || !first || !second || *first == *second)
        return;
    Fd fd;
    fd.kind = FdKind::pipe;
    fd.ino = update.event.number<std::uint64_t>(3).value_or(0);
    if (update.event.code() == SYSCALL_PIPE2_X) {
        fd.open_flags = update.flags_param(4);
        fd.set(Fd::cloexec, (fd.open_flags & kCloexec) != 0);
    }
    update.add_fd(*first, fd);
    update.add_fd(*second, std::move(fd));
}

void add_plain(const Update& update, FdKind kind, std::string_view name, bool cloexec) {
    if (!update.succeeded() || update.event.param(0).empty())
        return;
    Fd fd;
    fd.kind = kind;
    fd.name = Text(name);
    fd.set(Fd::cloexec, cloexec);
    update.add_fd(update.result(), std::move(fd));
}

// Flags in parameter `index`, of any width, that say close-on-exec as file_flags do.
bool cloexec_in(const Update& update, std::uint32_t index) {
    const std::uint32_t flags = update.event.number<std::uint32_t>(index).value_or(
        update.event.number<std::uint16_t>(index).value_or(0));
    return (flags & kCloexec) != 0;
}

void apply_eventfd(const Update& update) {
    add_plain(update, FdKind::event, "", false);
}
void apply_eventfd2(const Update& update) {
    add_plain(update, FdKind::event, "", cloexec_in(update, 1));
}
void apply_signalfd(const Update& update) {
    add_plain(update, FdKind::signalfd, "", false);
}
void apply_signalfd4(const Update& update) {
    add_plain(update, FdKind::signalfd, "", cloexec_in(update, 1));
}
void apply_timerfd(const Update& update) {
    add_plain(update, FdKind::timerfd, "", false);
}
void apply_inotify(const Update& update) {
    add_plain(update, FdKind::inotify, "", false);
}
void apply_inotify1(const Update& update) {
    add_plain(update, FdKind::inotify, "", cloexec_in(update, 1));
}
void apply_epoll(const Update& update) {
    add_plain(update, FdKind::eventpoll, "", false);
}
void apply_epoll1(const Update& update) {
    constexpr std::uint32_t kEpollCloexec = 1;
    add_plain(update, FdKind::eventpoll, "", (update.flags_param(1) & kEpollCloexec) != 0);
}
void apply_userfaultfd(const Update& update) {
    add_plain(update, FdKind::userfaultfd, "", cloexec_in(update, 1));
}
void apply_io_uring(const Update& update) {
    add_plain(update, FdKind::io_uring, "", true); // the kernel sets it always
}
void apply_memfd(const Update& update) {
    constexpr std::uint32_t kMemfdCloexec = 1;
    add_plain(update, FdKind::memfd, update.event.text(1),
              (update.flags_param(2) & kMemfdCloexec) != 0);
}
void apply_pidfd(const Update& update) {
    add_plain(update, FdKind::pidfd, "", true);
}

// Only some commands give an fd; results of the others are no fds.
void apply_bpf(const Update& update) {
    switch (update.flags_param(1)) {
    case 0:  // BPF_MAP_CREATE
    case 5:  // BPF_PROG_LOAD
    case 7:  // BPF_OBJ_GET
    case 13: // BPF_PROG_GET_FD_BY_ID
    case 14: // BPF_MAP_GET_FD_BY_ID
    case 17: // BPF_RAW_TRACEPOINT_OPEN
    case 18: // BPF_BTF_LOAD
    case 19: // BPF_BTF_GET_FD_BY_ID
    case 28: // BPF_LINK_CREATE
    case 30: // BPF_LINK_GET_FD_BY_ID
    case 32: // BPF_ENABLE_STATS
    case 33: // BPF_ITER_CREATE
        add_plain(update, FdKind::bpf, "", true);
        break;
    default: break;
    }
}

// The fd of another process, copied through its pidfd: whose it is, only the pidfd's owner knew.
void apply_pidfd_getfd(const Update& update) {
    add_plain(update, FdKind::unknown, "", true);
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
