// SPDX-License-Identifier: Apache-2.0
//
// Handlers of the task and file iterators' records, which list the threads and open files at
// start-up. The header's tid field holds the process id above the thread id.
#include <netinet/in.h>
#include <sys/socket.h>

#include "analyzer/state/container.h"
#include "analyzer/state/params.h"
#include "analyzer/state/update.h"
#include "shared/event/params.h"

namespace tiercel::state {
namespace {

using namespace event;

namespace task = event::param::ITER_TASK_E;
namespace inet = event::param::ITER_TASK_FILE_SOCKET_INET_E;
namespace anon_types = event::flags::anon_inode_fd_types;
static_assert(+inet::ino_num == +param::ITER_TASK_FILE_SOCKET_INET6_E::ino_num);

std::int64_t tid_of(const EventView& event) {
    return static_cast<std::int64_t>(event.raw_tid() & UINT32_MAX);
}
std::int64_t pid_of(const EventView& event) {
    return static_cast<std::int64_t>(event.raw_tid() >> 32);
}

void take_ids(const Update& update, Thread& thread) {
    const EventView& event = update.event;
    take<std::int32_t>(event, task::ppid, thread.ptid);
    take<std::int32_t>(event, task::pgid, thread.pgid);
    take<std::int32_t>(event, task::vpgid, thread.vpgid);
    take<std::int32_t>(event, task::sid, thread.sid);
    take<std::int32_t>(event, task::vtgid, thread.vpid);
    take<std::int32_t>(event, task::vpid, thread.vtid);
    take<std::uint32_t>(event, task::euid, thread.uid);
    take<std::uint32_t>(event, task::egid, thread.gid);
    take<std::uint32_t>(event, task::loginuid, thread.loginuid);
    update.take_real_identity(thread, task::ruid);
    take<std::uint32_t>(event, task::tty, thread.tty);
    take<std::uint64_t>(event, task::cap_permitted, thread.cap_permitted);
    take<std::uint64_t>(event, task::cap_effective, thread.cap_effective);
    take<std::uint64_t>(event, task::cap_inheritable, thread.cap_inheritable);
}

void take_program(const EventView& event, Thread& thread) {
    thread.comm.set(event.text(task::comm));
    const std::string_view argv = bytes_text(event.param(task::argv));
    const std::size_t end = argv.find('\0');
    thread.exe.set(argv.empty() ? event.text(task::comm) : argv.substr(0, end));
    thread.args.set(end == std::string_view::npos ? std::string_view() : argv.substr(end + 1));
    thread.exepath.set(event.text(task::exepath));
    take<std::uint32_t>(event, task::flags, thread.exe_flags);
    take<std::uint64_t>(event, task::exe_ino_num, thread.exe_ino);
    take<std::uint64_t>(event, task::exe_ino_ctime, thread.exe_ctime);
    take<std::uint64_t>(event, task::exe_ino_mtime, thread.exe_mtime);
    take<std::uint64_t>(event, task::fdlimit, thread.fdlimit);
    take<std::uint32_t>(event, task::vm_size, thread.vm_size);
    take<std::uint32_t>(event, task::vm_rss, thread.vm_rss);
    take<std::uint32_t>(event, task::vm_swap, thread.vm_swap);
    take<std::uint64_t>(event, task::pgft_maj, thread.pgft_maj);
    take<std::uint64_t>(event, task::pgft_min, thread.pgft_min);
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
    // proc.name is the process's; the record has the thread's own name.
    thread.name = thread.comm;
    thread.comm = leader->comm;
}

void apply_task(const Update& update) {
    const EventView& event = update.event;
    Thread& thread = update.make(tid_of(event));
    // Events that came meanwhile are newer than the record.
    if (!thread.is_placeholder() && (thread.exec_ts != 0 || thread.clone_ts > event.ts()))
        return;
    thread.pid = pid_of(event);
    take_ids(update, thread);
    update.tracker.users().meet(thread.uid, thread.gid);
    take_program(event, thread);
    take<std::uint64_t>(event, task::start_time, thread.clone_ts);
    take<std::uint64_t>(event, task::pidns_init_start_ts, thread.pidns_start_ts);
    thread.root.set(event.text(task::root));
    update.set_cgroups(thread, bytes_text(event.param(task::cgroups)));
    if (!thread.is_leader())
        thread.flags |= Thread::is_thread | Thread::shares_files;
    join_process(update, thread);
    update.set_parent(thread, thread.ptid);
    if (thread.is_leader()) {
        thread.process->env.set(bytes_text(event.param(task::env)));
        const std::string_view cwd = event.text(task::cwd);
        if (!cwd.empty())
            thread.process->cwd = cwd.ends_with('/') ? Text(cwd) : Text(cwd, "/");
    }
    update.now.thread = &thread;
}

// Every file record begins with the number of the fd.
constexpr std::uint32_t kFileFd = param::ITER_TASK_FILE_PIPE_E::fd;
static_assert(kFileFd == 0);

// Adds a fd that no event has reported yet to the process's table. After the start, the fd came
// from another process, and replaces what the table has.
void add_found(const Update& update, Fd fd) {
    const auto number = update.event.number<std::int32_t>(kFileFd);
    if (!number || *number < 0)
        return;
    Thread& thread = update.make(pid_of(update.event));
    update.now.thread = &thread;
    update.now.fd_num = *number;
    if (update.is_started() || thread.process->fds->find(*number) == nullptr)
        update.add_fd(*number, std::move(fd));
}

Fd named(const Update& update, FdKind kind, std::uint32_t name, std::uint32_t ino) {
    const EventView& event = update.event;
    Fd fd;
    fd.kind = kind;
    fd.name = update.text(event.text(name));
    fd.ino = event.number<std::uint64_t>(ino).value_or(0);
    if (!fd.name.empty() && (kind == FdKind::file || kind == FdKind::directory))
        fd.set(Fd::kernel_path);
    return fd;
}

void apply_pipe(const Update& update) {
    add_found(update, named(update, FdKind::pipe, param::ITER_TASK_FILE_PIPE_E::path,
                            param::ITER_TASK_FILE_PIPE_E::ino_num));
}
void apply_memfd(const Update& update) {
    add_found(update, named(update, FdKind::memfd, param::ITER_TASK_FILE_MEMFD_E::path,
                            param::ITER_TASK_FILE_MEMFD_E::ino_num));
}
void apply_directory(const Update& update) {
    add_found(update, named(update, FdKind::directory, param::ITER_TASK_FILE_DIRECTORY_E::path,
                            param::ITER_TASK_FILE_DIRECTORY_E::ino_num));
}

void apply_regular(const Update& update) {
    namespace regular = param::ITER_TASK_FILE_REGULAR_E;
    Fd fd = named(update, FdKind::file, regular::path, regular::ino_num);
    fd.set(Fd::whole_path);
    fd.open_flags = update.flags_param(regular::flags);
    fd.set(Fd::cloexec, (fd.open_flags & event::flags::file_flags::kO_CLOEXEC) != 0);
    add_found(update, std::move(fd));
}

L4 l4_of_record(const EventView& event) {
    if (event.number<std::uint16_t>(inet::sk_type) == SOCK_RAW)
        return L4::raw;
    switch (event.number<std::uint16_t>(inet::sk_proto).value_or(IPPROTO_IP)) {
    case IPPROTO_TCP: return L4::tcp;
    case IPPROTO_UDP: return L4::udp;
    case IPPROTO_ICMP: return L4::icmp;
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

// The record does not say which end connected. The end with the lower port is taken for the server.
void apply_inet(const Update& update) {
    const EventView& event = update.event;
    const bool v6 = event.code() == ITER_TASK_FILE_SOCKET_INET6_E;
    Endpoint local = end_of(event, inet::local_ip, inet::local_port);
    Endpoint remote = end_of(event, inet::remote_ip, inet::remote_port);
    bool is_v6 = v6;
    if (v6 && is_mapped_ipv4(local.ip) && (is_mapped_ipv4(remote.ip) || remote.port == 0)) {
        local.ip = unmap_ipv4(local.ip);
        remote.ip = unmap_ipv4(remote.ip);
        is_v6 = false;
    }
    Fd fd;
    fd.l4 = l4_of_record(event);
    fd.ino = event.number<std::uint64_t>(inet::ino_num).value_or(0);
    if (remote.port == 0) {
        fd.kind = is_v6 ? FdKind::ipv6_server : FdKind::ipv4_server;
        fd.ends.edit().dest = local.ip;
        fd.ends.edit().dest_port = local.port;
        fd.set(Fd::server);
    } else {
        fd.kind = is_v6 ? FdKind::ipv6 : FdKind::ipv4;
        const bool serves = local.port < remote.port;
        const Endpoint& client = serves ? remote : local;
        const Endpoint& server = serves ? local : remote;
        SocketEnds& ends = fd.ends.edit();
        ends.source = client.ip;
        ends.source_port = client.port;
        ends.dest = server.ip;
        ends.dest_port = server.port;
        fd.set(serves ? Fd::server : Fd::client);
        fd.set(Fd::connected);
    }
    if (local.port != 0 || remote.port != 0)
        fd.name = Text(socket_name(fd));
    add_found(update, std::move(fd));
}

void apply_unix(const Update& update) {
    namespace unix_record = param::ITER_TASK_FILE_SOCKET_UNIX_E;
    Fd fd = named(update, FdKind::unix_socket, unix_record::sun_path, unix_record::ino_num);
    fd.ends.edit().unix_source =
        update.event.number<std::uint64_t>(unix_record::sk_pointer).value_or(0);
    add_found(update, std::move(fd));
}

void apply_netlink(const Update& update) {
    Fd fd;
    fd.kind = FdKind::netlink;
    fd.ino = update.event.number<std::uint64_t>(param::ITER_TASK_FILE_SOCKET_NETLINK_E::ino_num)
                 .value_or(0);
    add_found(update, std::move(fd));
}

FdKind kind_of_anon(std::uint8_t type) {
    switch (type) {
    case anon_types::kANON_INODE_FD_TYPE_EVENTFD: return FdKind::event;
    case anon_types::kANON_INODE_FD_TYPE_EVENTPOLL: return FdKind::eventpoll;
    case anon_types::kANON_INODE_FD_TYPE_INOTIFY: return FdKind::inotify;
    case anon_types::kANON_INODE_FD_TYPE_SIGNALFD: return FdKind::signalfd;
    case anon_types::kANON_INODE_FD_TYPE_TIMERFD: return FdKind::timerfd;
    case anon_types::kANON_INODE_FD_TYPE_IO_URING: return FdKind::io_uring;
    case anon_types::kANON_INODE_FD_TYPE_USERFAULTFD: return FdKind::userfaultfd;
    case anon_types::kANON_INODE_FD_TYPE_PIDFD: return FdKind::pidfd;
    case anon_types::kANON_INODE_FD_TYPE_BPF_MAP:
    case anon_types::kANON_INODE_FD_TYPE_BPF_PROG:
    case anon_types::kANON_INODE_FD_TYPE_BPF_LINK:
    case anon_types::kANON_INODE_FD_TYPE_BPF_ITER: return FdKind::bpf;
    default: return FdKind::unsupported;
    }
}

void apply_anon(const Update& update) {
    namespace anon = param::ITER_TASK_FILE_ANON_INODE_E;
    const auto type = update.event.number<std::uint8_t>(anon::fd_type).value_or(0);
    add_found(update, named(update, kind_of_anon(type), anon::path, anon::ino_num));
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
