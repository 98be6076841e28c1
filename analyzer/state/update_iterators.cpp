// SPDX-License-Identifier: Apache-2.0
//
// Records of the task and file iterators: what ran and what was open when the sensor started. The
// thread's id and its process's share the header's tid field.
#include <array>

#include "analyzer/state/container.h"
#include "analyzer/state/params.h"
#include "analyzer/state/update.h"

namespace tiercel::state {
namespace {

using namespace event;

enum TaskParam : std::uint32_t {
    TASK_PPID,
    TASK_PGID,
    TASK_VPGID,
    TASK_SID,
    TASK_COMM,
    TASK_ARGV,
    TASK_EXEPATH,
    TASK_FLAGS,
    TASK_ENV,
    TASK_CWD,
    TASK_FDLIMIT,
    TASK_EUID,
    TASK_EGID,
    TASK_CAP_PERMITTED,
    TASK_CAP_EFFECTIVE,
    TASK_CAP_INHERITABLE,
    TASK_INO,
    TASK_CTIME,
    TASK_MTIME,
    TASK_VM_SIZE,
    TASK_VM_RSS,
    TASK_VM_SWAP,
    TASK_MAJ,
    TASK_MIN,
    TASK_VPID,
    TASK_VTID,
    TASK_PIDNS,
    TASK_CGROUPS,
    TASK_ROOT,
    TASK_START,
    TASK_TTY,
    TASK_LOGINUID,
};

std::int64_t tid_of(const EventView& event) {
    return static_cast<std::int64_t>(event.raw_tid() & UINT32_MAX);
}
std::int64_t pid_of(const EventView& event) {
    return static_cast<std::int64_t>(event.raw_tid() >> 32);
}

void take_ids(const EventView& event, Thread& thread) {
    take<std::int32_t>(event, TASK_PPID, thread.ptid);
    take<std::int32_t>(event, TASK_PGID, thread.pgid);
    take<std::int32_t>(event, TASK_VPGID, thread.vpgid);
    take<std::int32_t>(event, TASK_SID, thread.sid);
    take<std::int32_t>(event, TASK_VPID, thread.vpid);
    take<std::int32_t>(event, TASK_VTID, thread.vtid);
    take<std::uint32_t>(event, TASK_EUID, thread.uid);
    take<std::uint32_t>(event, TASK_EGID, thread.gid);
    take<std::uint32_t>(event, TASK_LOGINUID, thread.loginuid);
    take<std::uint32_t>(event, TASK_TTY, thread.tty);
    take<std::uint64_t>(event, TASK_CAP_PERMITTED, thread.cap_permitted);
    take<std::uint64_t>(event, TASK_CAP_EFFECTIVE, thread.cap_effective);
    take<std::uint64_t>(event, TASK_CAP_INHERITABLE, thread.cap_inheritable);
}

void take_program(const EventView& event, Thread& thread) {
    thread.comm.set(event.text(TASK_COMM));
    const std::string_view argv = bytes_text(event.param(TASK_ARGV));
    const std::size_t end = argv.find('\0');
    thread.exe.set(argv.empty() ? event.text(TASK_COMM) : argv.substr(0, end));
    thread.args.set(end == std::string_view::npos ? std::string_view() : argv.substr(end + 1));
    thread.exepath.set(event.text(TASK_EXEPATH));
    take<std::uint32_t>(event, TASK_FLAGS, thread.exe_flags);
    take<std::uint64_t>(event, TASK_INO, thread.exe_ino);
    take<std::uint64_t>(event, TASK_CTIME, thread.exe_ctime);
    take<std::uint64_t>(event, TASK_MTIME, thread.exe_mtime);
    take<std::uint64_t>(event, TASK_FDLIMIT, thread.fdlimit);
    take<std::uint32_t>(event, TASK_VM_SIZE, thread.vm_size);
    take<std::uint32_t>(event, TASK_VM_RSS, thread.vm_rss);
    take<std::uint32_t>(event, TASK_VM_SWAP, thread.vm_swap);
    take<std::uint64_t>(event, TASK_MAJ, thread.pgft_maj);
    take<std::uint64_t>(event, TASK_MIN, thread.pgft_min);
}

void join_process(const Update& update, Thread& thread) {
    if (thread.is_leader())
        return;
    const Thread* leader = update.find(thread.pid);
    if (leader == nullptr || leader->process == thread.process)
        return;
    --thread.process->threads;
    thread.process = leader->process;
    ++thread.process->threads;
}

void apply_task(const Update& update) {
    const EventView& event = update.event;
    Thread& thread = update.make(tid_of(event));
    // What events told since is newer than the record.
    if (!thread.is_placeholder() && (thread.exec_ts != 0 || thread.clone_ts > event.ts()))
        return;
    thread.pid = pid_of(event);
    take_ids(event, thread);
    take_program(event, thread);
    take<std::uint64_t>(event, TASK_START, thread.clone_ts);
    take<std::uint64_t>(event, TASK_PIDNS, thread.pidns_start_ts);
    thread.root.set(event.text(TASK_ROOT));
    update.set_cgroups(thread, bytes_text(event.param(TASK_CGROUPS)));
    if (!thread.is_leader())
        thread.flags |= Thread::is_thread | Thread::shares_files;
    join_process(update, thread);
    if (thread.is_leader()) {
        thread.process->env.set(bytes_text(event.param(TASK_ENV)));
        const std::string_view cwd = event.text(TASK_CWD);
        if (!cwd.empty())
            thread.process->cwd = cwd.ends_with('/') ? Text(cwd) : Text(cwd, "/");
    }
    update.now.thread = &thread;
}

// Adds to the process's table what no event has told of yet.
void add_found(const Update& update, Fd fd) {
    const auto number = update.event.number<std::int32_t>(0);
    if (!number || *number < 0)
        return;
    Thread& thread = update.make(pid_of(update.event));
    update.now.thread = &thread;
    update.now.fd_num = *number;
    if (thread.process->fds->find(*number) == nullptr)
        update.add_fd(*number, std::move(fd));
}

Fd named(const EventView& event, FdKind kind, std::uint32_t name, std::uint32_t ino) {
    Fd fd;
    fd.kind = kind;
    fd.name = Text(event.text(name));
    fd.ino = event.number<std::uint64_t>(ino).value_or(0);
    return fd;
}

void apply_pipe(const Update& update) {
    add_found(update, named(update.event, FdKind::pipe, 1, 2));
}
void apply_memfd(const Update& update) {
    add_found(update, named(update.event, FdKind::memfd, 1, 2));
}
void apply_directory(const Update& update) {
    add_found(update, named(update.event, FdKind::directory, 1, 2));
}

void apply_regular(const Update& update) {
    constexpr std::uint32_t kCloexec = 1u << 12;
    Fd fd = named(update.event, FdKind::file, 1, 4);
    fd.raw_name = fd.name;
    fd.open_flags = update.flags_param(2);
    fd.mount = update.flags_param(3);
    fd.set(Fd::cloexec, (fd.open_flags & kCloexec) != 0);
    add_found(update, std::move(fd));
}

L4 l4_of_record(const EventView& event) {
    constexpr std::uint16_t kRaw = 3, kIcmp = 1, kTcp = 6, kUdp = 17;
    if (event.number<std::uint16_t>(1) == kRaw)
        return L4::raw;
    switch (event.number<std::uint16_t>(2).value_or(0)) {
    case kTcp: return L4::tcp;
    case kUdp: return L4::udp;
    case kIcmp: return L4::icmp;
    default: return L4::unknown;
    }
}

Endpoint end_of(const EventView& event, std::uint32_t ip, std::uint32_t port) {
    Endpoint end;
    const Bytes bytes = event.param(ip);
    if (bytes.size() <= end.ip.size() && !bytes.empty())
        std::memcpy(end.ip.data(), bytes.data(), bytes.size());
    end.port = event.number<std::uint16_t>(port).value_or(0);
    return end;
}

// Who connected to whom is not in the record: the end with the lower port is taken for the server.
void apply_inet(const Update& update) {
    const EventView& event = update.event;
    const bool v6 = event.code() == ITER_TASK_FILE_SOCKET_INET6_E;
    Endpoint local = end_of(event, 3, 4);
    Endpoint remote = end_of(event, 5, 6);
    bool is_v6 = v6;
    if (v6 && is_mapped_ipv4(local.ip) && (is_mapped_ipv4(remote.ip) || remote.port == 0)) {
        local.ip = unmap_ipv4(local.ip);
        remote.ip = unmap_ipv4(remote.ip);
        is_v6 = false;
    }
    Fd fd;
    fd.l4 = l4_of_record(event);
    fd.ino = event.number<std::uint64_t>(7).value_or(0);
    if (remote.port == 0) {
        fd.kind = is_v6 ? FdKind::ipv6_server : FdKind::ipv4_server;
        fd.dest = local.ip;
        fd.dest_port = local.port;
        fd.set(Fd::server);
    } else {
        fd.kind = is_v6 ? FdKind::ipv6 : FdKind::ipv4;
        const bool serves = local.port < remote.port;
        const Endpoint& client = serves ? remote : local;
        const Endpoint& server = serves ? local : remote;
        fd.source = client.ip;
        fd.source_port = client.port;
        fd.dest = server.ip;
        fd.dest_port = server.port;
        fd.set(serves ? Fd::server : Fd::client);
        fd.set(Fd::connected);
    }
    if (local.port != 0 || remote.port != 0)
        fd.name = Text(socket_name(fd));
    add_found(update, std::move(fd));
}

void apply_unix(const Update& update) {
    Fd fd = named(update.event, FdKind::unix_socket, 4, 5);
    fd.unix_source = update.event.number<std::uint64_t>(3).value_or(0);
    add_found(update, std::move(fd));
}

void apply_netlink(const Update& update) {
    Fd fd;
    fd.kind = FdKind::netlink;
    fd.ino = update.event.number<std::uint64_t>(3).value_or(0);
    add_found(update, std::move(fd));
}

// By anon_inode_fd_types.
constexpr std::array<FdKind, 14> kAnonKinds = {
    FdKind::unsupported, FdKind::event,       FdKind::eventpoll, FdKind::inotify,
    FdKind::signalfd,    FdKind::timerfd,     FdKind::io_uring,  FdKind::userfaultfd,
    FdKind::pidfd,       FdKind::bpf,         FdKind::bpf,       FdKind::bpf,
    FdKind::bpf,         FdKind::unsupported,
};

void apply_anon(const Update& update) {
    const std::size_t type = update.event.number<std::uint8_t>(1).value_or(0);
    const FdKind kind = type < kAnonKinds.size() ? kAnonKinds[type] : FdKind::unsupported;
    add_found(update, named(update.event, kind, 2, 3));
}

constexpr Handler kHandlers[] = {
    {ITER_TASK_E, apply_task, true},
    {ITER_TASK_FILE_PIPE_E, apply_pipe, true},
    {ITER_TASK_FILE_MEMFD_E, apply_memfd, true},
    {ITER_TASK_FILE_REGULAR_E, apply_regular, true},
    {ITER_TASK_FILE_DIRECTORY_E, apply_directory, true},
    {ITER_TASK_FILE_SOCKET_INET_E, apply_inet, true},
    {ITER_TASK_FILE_SOCKET_INET6_E, apply_inet, true},
    {ITER_TASK_FILE_SOCKET_UNIX_E, apply_unix, true},
    {ITER_TASK_FILE_SOCKET_NETLINK_E, apply_netlink, true},
    {ITER_TASK_FILE_ANON_INODE_E, apply_anon, true},
};

} // namespace

std::span<const Handler> iterator_handlers() {
    return kHandlers;
}

} // namespace tiercel::state
