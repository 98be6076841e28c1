// SPDX-License-Identifier: Apache-2.0
// What was there before the driver: the state of a prepared process and of its files, told by the
// iterators.
#include <fcntl.h>
#include <linux/netlink.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <csignal>
#include <ctime>
#include <filesystem>

#include "tests/live/harness/addresses.h"
#include "tests/live/harness/endpoints.h"
#include "tests/live/harness/paths.h"
#include "tests/live/harness/run.h"
#include "tests/live/harness/self.h"
#include "tests/live/harness/session.h"

namespace tiercel::live {

namespace {

constexpr Ip4 kServer4{"127.0.0.1", 47341}, kClient4{"127.0.0.2", 47342};
constexpr Ip6 kServer6{"::1", 47343}, kClient6{"::1", 47344};

enum Prepared {
    pipe_fd,
    memfd_fd,
    regular_fd,
    directory_fd,
    inet_fd,
    inet6_fd,
    unix_fd,
    netlink_fd,
    anon_fd,
    namespace_fd,
    prepared_fds
};

constexpr std::size_t kReady = 2UL * prepared_fds + 2; // the note that all are open

// A sleeping process with a file of each kind open, as it stood when the iterators ran.
class Snapshot {
  public:
    static const Snapshot& get() {
        static const Snapshot kSnapshot;
        return kSnapshot;
    }

    [[nodiscard]] long pid() const { return pid_; }
    [[nodiscard]] long fd(Prepared which) const { return fds_[which]; }
    [[nodiscard]] long inode(Prepared which) const { return inodes_[which]; }
    [[nodiscard]] long mount_id() const { return mount_ids_[0]; }
    [[nodiscard]] long namespace_mount_id() const { return mount_ids_[1]; }
    [[nodiscard]] const std::string& directory() const { return directory_.path(); }
    [[nodiscard]] std::pair<long, long> birth() const { return {before_, after_}; }

    // The event of the process, or of one of its files; fails the test when there is none.
    [[nodiscard]] std::optional<EventView> event(Code code, long fd = -1) const {
        for (const EventBytes& bytes : events_)
            if (auto view = EventView::parse(bytes);
                view->raw_tid() ==
                    (static_cast<std::uint64_t>(pid_) << 32 | static_cast<std::uint64_t>(pid_)) &&
                view->code() == code && (fd < 0 || view->number<std::int32_t>(0) == fd))
                return view;
        FAIL_CHECK("no event of the process");
        return {};
    }
    [[nodiscard]] bool supported() const { return supported_; }

  private:
    Snapshot();
    void prepare();

    Directory directory_;
    std::vector<EventBytes> events_;
    long pid_ = 0, fds_[prepared_fds]{}, inodes_[prepared_fds]{}, mount_ids_[2]{}, before_ = 0,
         after_ = 0;
    bool supported_ = true;
};

// Of the shared source's driver it could no longer be a target: a process has one tracer.
const BeforeSession kPrepared([] { Snapshot::get(); });

long now_ns() {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

long mount_id_of(int fd) {
    const std::string info = read_all("/proc/self/fdinfo/" + std::to_string(fd));
    return std::stol(info.substr(info.find("mnt_id:") + 7));
}

void Snapshot::prepare() {
    if (chdir(directory_.path().c_str()) < 0)
        _exit(98);
    setsid();
    int ends[2], server = listening(kServer4.for_call()),
                 path_server = bound(SOCK_STREAM, unix_for_call("socket"));
    if (pipe(ends) < 0 || server < 0)
        _exit(98);
    const int fds[prepared_fds] = {ends[0],
                                   memfd_create("live", 0),
                                   open("file", O_CREAT | O_RDWR | O_APPEND, 0644),
                                   open(".", O_RDONLY | O_DIRECTORY),
                                   connected(SOCK_STREAM, kClient4.for_call(), kServer4.for_call()),
                                   connected(SOCK_DGRAM, kClient6.for_call(), kServer6.for_call()),
                                   path_server,
                                   ::socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE),
                                   eventfd(0, 0),
                                   open("/proc/self/ns/net", O_RDONLY)};
    for (int i = 0; i < prepared_fds; ++i) {
        struct stat s {};
        fstat(fds[i], &s);
        note(static_cast<std::size_t>(i), fds[i]);
        note(static_cast<std::size_t>(prepared_fds) + static_cast<std::size_t>(i),
             static_cast<long>(s.st_ino));
    }
    note(2UL * prepared_fds, mount_id_of(fds[regular_fd]));
    note(2UL * prepared_fds + 1, mount_id_of(fds[namespace_fd]));
    note(kReady, 1);
}

Snapshot::Snapshot() {
    before_ = now_ns();
    note(kReady, 0);
    pid_ = fork();
    if (pid_ == 0) {
        prepare();
        for (;;)
            pause();
    }
    after_ = now_ns();
    while (note_of(kReady) == 0 && waitpid(static_cast<pid_t>(pid_), nullptr, WNOHANG) == 0)
        usleep(1000);
    for (int i = 0; i < prepared_fds; ++i) {
        fds_[i] = note_of(static_cast<std::size_t>(i));
        inodes_[i] = note_of(static_cast<std::size_t>(prepared_fds) + static_cast<std::size_t>(i));
    }
    mount_ids_[0] = note_of(2UL * prepared_fds);
    mount_ids_[1] = note_of(2UL * prepared_fds + 1);
    SourceOptions options = source_options();
    options.syscalls = false;
    options.target = static_cast<pid_t>(pid_);
    const Source source(options);
    for (wire::Kind kind : {wire::Kind::iter_task, wire::Kind::iter_task_file}) {
        auto events = source.iterate(kind);
        supported_ = supported_ && !events.empty();
        events_.insert(events_.end(), std::make_move_iterator(events.begin()),
                       std::make_move_iterator(events.end()));
    }
    kill(static_cast<pid_t>(pid_), SIGKILL);
    waitpid(static_cast<pid_t>(pid_), nullptr, 0);
}

void expect_file(Code code, Prepared which, std::vector<WantParam> wants,
                 Run::Here here = Run::Here::current()) {
    const Snapshot& snapshot = Snapshot::get();
    if (!snapshot.supported())
        LIVE_SKIP("the driver has no iterators", code);
    wants.push_back({"fd", snapshot.fd(which)});
    wants.push_back({"ino_num", snapshot.inode(which)});
    if (const auto view = snapshot.event(code, snapshot.fd(which)))
        expect_params(*view, wants, here);
}

// A BPF iterator gives no command line and no environment, because a read of another process's
// memory can fault in a file whose server never answers.
bool reads_memory() {
    return session().reply().driver != wire::Driver::modern;
}

template <typename Ip>
Raw ip_of(const Ip& ip) {
    return {ip.bytes().substr(0, ip.bytes().size() - 2)};
}

} // namespace

LIVE_TEST(ITER_TASK_E) {
    const Snapshot& snapshot = Snapshot::get();
    if (!snapshot.supported())
        LIVE_SKIP("the driver has no iterators", ITER_TASK_E);
    const auto view = snapshot.event(ITER_TASK_E);
    if (!view)
        return;
    const std::string self = own_binary(), status = read_all("/proc/self/status");
    const std::uint64_t caps = std::stoull(status.substr(status.find("CapEff:") + 7), nullptr, 16);
    struct stat file {};
    stat(self.c_str(), &file);
    auto ns = [](const timespec& t) { return t.tv_sec * 1'000'000'000 + t.tv_nsec; };
    const std::string argv = read_all("/proc/self/cmdline");
    std::string env = read_all("/proc/self/environ");
    if (env.size() > 4096)
        env = env.substr(0, 4095) + '\0';
    const auto [before, after] = snapshot.birth();
    constexpr long kSlack =
        1'000'000'000; // between the two clocks' readings when the driver was loaded
    const WantParam wants[] = {{"ppid", getpid()},
                               {"pgid", snapshot.pid()},
                               {"vpgid", snapshot.pid()},
                               {"sid", snapshot.pid()},
                               {"comm", own_name()},
                               {"argv", reads_memory() ? Want(Raw{argv}) : Want(kNothing)},
                               {"exepath", self},
                               {"flags", 1 | (FileFacts(self).layer ? 2 : 0)},
                               {"env", reads_memory() ? Want(Raw{env}) : Want(kNothing)},
                               {"cwd", snapshot.directory()},
                               {"fdlimit", fd_limit()},
                               {"euid", 0},
                               {"egid", 0},
                               {"cap_permitted", caps},
                               {"cap_effective", caps},
                               {"cap_inheritable", 0},
                               {"exe_ino_num", file.st_ino},
                               {"exe_ino_ctime", ns(file.st_ctim)},
                               {"exe_ino_mtime", ns(file.st_mtim)},
                               {"vm_size", between(100, 1U << 30)},
                               {"vm_rss", between(0, 1U << 24)},
                               {"vm_swap", between(0, 1U << 24)},
                               {"pgft_maj", at_least(0)},
                               {"pgft_min", at_least(1)},
                               {"vtgid", snapshot.pid()},
                               {"vpid", snapshot.pid()},
                               {"pidns_init_start_ts", at_least(1)},
                               {"cgroups", own_cgroups()},
                               {"root", "/"},
                               {"start_time", between(static_cast<std::uint64_t>(before - kSlack),
                                                      static_cast<std::uint64_t>(after + kSlack))},
                               {"tty", 0},
                               {"loginuid", login_uid()}};
    expect_params(*view, wants);
}

LIVE_TEST(ITER_TASK_FILE_PIPE_E) {
    expect_file(ITER_TASK_FILE_PIPE_E, pipe_fd, {{"path", kNothing}});
}

LIVE_TEST(ITER_TASK_FILE_MEMFD_E) {
    expect_file(ITER_TASK_FILE_MEMFD_E, memfd_fd, {{"path", "memfd:live"}});
}

LIVE_TEST(ITER_TASK_FILE_REGULAR_E) {
    const Snapshot& snapshot = Snapshot::get();
    // O_RDWR and O_APPEND; a 64-bit open adds O_LARGEFILE; what only the open itself heeds is gone.
    expect_file(ITER_TASK_FILE_REGULAR_E, regular_fd,
                {{"path", snapshot.directory() + "/file"},
                 {"flags", 3 | 8 | 2048},
                 {"mnt_id", snapshot.mount_id()}});
}

LIVE_TEST(ITER_TASK_FILE_REGULAR_E, "of a namespace") {
    expect_file(ITER_TASK_FILE_REGULAR_E, namespace_fd,
                {{"path", std::filesystem::read_symlink("/proc/self/ns/net").string()},
                 {"flags", 1 | 2048},
                 {"mnt_id", Snapshot::get().namespace_mount_id()}});
}

LIVE_TEST(ITER_TASK_FILE_DIRECTORY_E) {
    expect_file(ITER_TASK_FILE_DIRECTORY_E, directory_fd, {{"path", Snapshot::get().directory()}});
}

LIVE_TEST(ITER_TASK_FILE_SOCKET_INET_E) {
    expect_file(ITER_TASK_FILE_SOCKET_INET_E, inet_fd,
                {{"sk_type", SOCK_STREAM},
                 {"sk_proto", 6},
                 {"local_ip", ip_of(kClient4)},
                 {"local_port", kClient4.port},
                 {"remote_ip", ip_of(kServer4)},
                 {"remote_port", kServer4.port}});
}

LIVE_TEST(ITER_TASK_FILE_SOCKET_INET6_E) {
    expect_file(ITER_TASK_FILE_SOCKET_INET6_E, inet6_fd,
                {{"sk_type", SOCK_DGRAM},
                 {"sk_proto", 17},
                 {"local_ip", ip_of(kClient6)},
                 {"local_port", kClient6.port},
                 {"remote_ip", ip_of(kServer6)},
                 {"remote_port", kServer6.port}});
}

LIVE_TEST(ITER_TASK_FILE_SOCKET_UNIX_E) {
    expect_file(ITER_TASK_FILE_SOCKET_UNIX_E, unix_fd,
                {{"sk_type", SOCK_STREAM},
                 {"sk_proto", 0},
                 {"sk_pointer", kNonzero},
                 {"sun_path", "socket"}});
}

LIVE_TEST(ITER_TASK_FILE_SOCKET_NETLINK_E) {
    expect_file(ITER_TASK_FILE_SOCKET_NETLINK_E, netlink_fd,
                {{"sk_type", SOCK_RAW}, {"sk_proto", NETLINK_ROUTE}});
}

LIVE_TEST(ITER_TASK_FILE_ANON_INODE_E) {
    expect_file(ITER_TASK_FILE_ANON_INODE_E, anon_fd, {{"fd_type", 1}, {"path", kNothing}});
}

} // namespace tiercel::live
