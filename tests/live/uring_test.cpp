// SPDX-License-Identifier: Apache-2.0
//
// Calls made through io_uring: they give the events of the system calls that they stand for, from
// the thread that submitted them, whichever thread of the kernel executes them.
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/uio.h>

#include "tests/live/harness/endpoints.h"
#include "tests/live/harness/run.h"
#include "tests/live/harness/session.h"
#include "tests/live/harness/uring.h"

namespace tiercel::live {

namespace {

// Younger than the headers that this may be built with (uapi/linux/io_uring.h).
constexpr unsigned kOpSocket = 45, kOpBind = 56, kOpListen = 57;
constexpr std::uint8_t kSkipSuccess = 1 << 6; // IOSQE_CQE_SKIP_SUCCESS
constexpr long kRegisteredFiles = 1 << 30;    // docs/drivers.md

constexpr std::size_t kGood = 63; // the note that says whether io_uring works here

// Runs `body` with a ring, and the test's checks if there could be one.
template <typename Body, typename Checks>
void through_uring(Code code, Body body, Checks checks, unsigned flags = 0) {
    const wire::Driver driver = session().reply().driver;
    if (driver != wire::Driver::modern && driver != wire::Driver::classic)
        return Coverage::get().skip("this driver does not see io_uring", {});
    Run run([&] {
        Uring uring(flags);
        note(kGood, uring.good());
        if (uring.good())
            body(uring);
    });
    if (run.note(kGood) == 0)
        return Coverage::get().skip("this kernel or its settings refuse io_uring", {});
    const auto events = run.of(run.tid(), code);
    checks(run, std::span<const EventView>(events));
}

// Compares the parameters that are named; the syscall's own test compares all.
void expect_some(std::span<const EventView> events, std::size_t index,
                 std::initializer_list<WantParam> wants) {
    REQUIRE(index < events.size());
    const EventView& view = events[index];
    for (const WantParam& want : wants) {
        const int at = view.info().find_param(want.name);
        REQUIRE(at >= 0);
        const auto place = static_cast<std::uint32_t>(at);
        const std::string wrong = want.want.mismatch(view.info().params[place], view.param(place));
        CHECK_MESSAGE(wrong.empty(), want.name << ": " << wrong);
    }
}

io_uring_sqe opening(const char* name, std::uint32_t flags, std::uint32_t mode = 0) {
    return operation(IORING_OP_OPENAT, AT_FDCWD, name, mode, 0, flags);
}

io_uring_sqe flagged(io_uring_sqe sqe, std::uint8_t flags) {
    sqe.flags |= flags;
    return sqe;
}

void open_twice(Uring& uring) {
    note(0, uring.run(opening("file", O_CREAT | O_RDWR, 0640)));
    note(1, uring.run(opening("missing", O_RDONLY)));
}

void expect_two_opens(const Run& run, std::span<const EventView> events) {
    REQUIRE(run.note(0) >= 0);
    expect_some(events, 0,
                {{"fd", run.note(0)},
                 {"name", "file"},
                 {"dirfd", AT_FDCWD},
                 {"mode", 0640},
                 {"ino", kNonzero}});
    expect_some(events, 1, {{"fd", -ENOENT}, {"name", "missing"}, {"flags", 1}, {"ino", 0}});
    CHECK(events.size() == 2);
}

} // namespace

LIVE_TEST(SYSCALL_OPENAT_2_X, "through io_uring") {
    through_uring(SYSCALL_OPENAT_2_X, open_twice, expect_two_opens);
}

LIVE_TEST(SYSCALL_OPENAT_2_X, "through io_uring, submitted by a thread of the kernel") {
    through_uring(SYSCALL_OPENAT_2_X, open_twice, expect_two_opens, IORING_SETUP_SQPOLL);
}

LIVE_TEST(SYSCALL_OPENAT_2_X, "through io_uring, executed by a worker") {
    through_uring(
        SYSCALL_OPENAT_2_X,
        [](Uring& uring) {
            note(0, uring.run(flagged(opening("file", O_CREAT | O_RDWR, 0640), IOSQE_ASYNC)));
            note(1, uring.run(flagged(opening("missing", O_RDONLY), IOSQE_ASYNC)));
        },
        expect_two_opens);
}

LIVE_TEST(SYSCALL_OPENAT_2_X, "through io_uring, linked") {
    through_uring(
        SYSCALL_OPENAT_2_X,
        [](Uring& uring) {
            note(0, 0);
            uring.submit({flagged(opening("first", O_CREAT | O_RDWR, 0600), IOSQE_IO_LINK),
                          flagged(opening("missing", O_RDONLY), IOSQE_IO_LINK),
                          opening("never", O_RDONLY)},
                         3);
        },
        [](const Run&, std::span<const EventView> events) {
            expect_some(events, 0, {{"fd", at_least(3)}, {"name", "first"}});
            expect_some(events, 1, {{"fd", -ENOENT}, {"name", "missing"}});
            expect_some(events, 2, {{"fd", -ECANCELED}, {"name", "never"}});
        });
}

LIVE_TEST(SYSCALL_OPENAT_2_X, "through io_uring, without a completion") {
    through_uring(
        SYSCALL_OPENAT_2_X,
        [](Uring& uring) {
            close(open("file", O_CREAT, 0600));
            note(0, uring.run(opening("file", O_RDONLY)));
            close(static_cast<int>(note_of(0)));
            uring.submit({flagged(opening("file", O_RDONLY), kSkipSuccess)}, 0);
            Uring::pause_a_moment();
            note(1, fcntl(static_cast<int>(note_of(0)), F_GETFD)); // 0: the number is in use again
        },
        [](const Run& run, std::span<const EventView> events) {
            if (run.note(1) < 0)
                return Coverage::get().skip("this kernel always gives completions", {});
            // The test's own open is the first event.
            expect_some(events, events.size() - 1,
                        {{"fd", run.note(0)}, {"name", "file"}, {"ino", kNonzero}});
        });
}

LIVE_TEST(SYSCALL_OPENAT_2_X, "through io_uring, as a registered file") {
    through_uring(
        SYSCALL_OPENAT_2_X,
        [](Uring& uring) {
            const int none[] = {-1, -1, -1, -1};
            syscall(SYS_io_uring_register, uring.fd(), IORING_REGISTER_FILES, none, 4);
            io_uring_sqe direct = opening("file", O_CREAT | O_RDWR, 0600);
            direct.splice_fd_in = 3; // file_index: the slot plus 1
            note(0, uring.run(direct));
        },
        [](const Run& run, std::span<const EventView> events) {
            if (run.note(0) != 0)
                return Coverage::get().skip("this kernel opens no registered files", {});
            expect_some(events, 0, {{"fd", kRegisteredFiles + 2}, {"name", "file"}});
        });
}

LIVE_TEST(SYSCALL_OPENAT2_X, "through io_uring") {
    through_uring(
        SYSCALL_OPENAT2_X,
        [](Uring& uring) {
            open_how how{O_CREAT | O_WRONLY, 0600, RESOLVE_NO_SYMLINKS};
            note(0, uring.run(operation(IORING_OP_OPENAT2, AT_FDCWD, "file", sizeof how,
                                        reinterpret_cast<std::uintptr_t>(&how))));
        },
        [](const Run& run, std::span<const EventView> events) {
            expect_some(events, 0,
                        {{"fd", run.note(0)}, {"name", "file"}, {"mode", 0600}, {"resolve", 8}});
        });
}

LIVE_TEST(SYSCALL_UNLINKAT_2_X, "through io_uring") {
    through_uring(
        SYSCALL_UNLINKAT_2_X,
        [](Uring& uring) {
            close(open("file", O_CREAT, 0600));
            note(0, uring.run(operation(IORING_OP_UNLINKAT, AT_FDCWD, "file")));
            note(1, uring.run(operation(IORING_OP_UNLINKAT, 77, "file", 0, 0, AT_REMOVEDIR)));
        },
        [](const Run& run, std::span<const EventView> events) {
            CHECK(run.note(0) == 0);
            expect_some(events, 0,
                        {{"res", 0}, {"dirfd", AT_FDCWD}, {"name", "file"}, {"flags", 0}});
            expect_some(events, 1, {{"res", run.note(1)}, {"dirfd", 77}, {"name", "file"}});
        });
}

LIVE_TEST(SYSCALL_RENAMEAT_X, "through io_uring") {
    through_uring(
        SYSCALL_RENAMEAT_X,
        [](Uring& uring) {
            close(open("file", O_CREAT, 0600));
            const auto other = reinterpret_cast<std::uintptr_t>("other");
            const auto at_cwd = static_cast<std::uint32_t>(AT_FDCWD);
            note(0, uring.run(operation(IORING_OP_RENAMEAT, AT_FDCWD, "file", at_cwd, other)));
        },
        [](const Run& run, std::span<const EventView> events) {
            expect_some(events, 0,
                        {{"res", run.note(0)},
                         {"olddirfd", AT_FDCWD},
                         {"oldpath", "file"},
                         {"newdirfd", AT_FDCWD},
                         {"newpath", "other"}});
        });
}

LIVE_TEST(SYSCALL_LINKAT_2_X, "through io_uring") {
    through_uring(
        SYSCALL_LINKAT_2_X,
        [](Uring& uring) {
            close(open("file", O_CREAT, 0600));
            const auto other = reinterpret_cast<std::uintptr_t>("other");
            const auto at_cwd = static_cast<std::uint32_t>(AT_FDCWD);
            note(0, uring.run(operation(IORING_OP_LINKAT, AT_FDCWD, "file", at_cwd, other)));
        },
        [](const Run& run, std::span<const EventView> events) {
            if (run.note(0) == -EINVAL)
                return Coverage::get().skip("io_uring of this kernel makes no links", {});
            expect_some(events, 0,
                        {{"res", run.note(0)}, {"oldpath", "file"}, {"newpath", "other"}});
        });
}

LIVE_TEST(SYSCALL_SYMLINKAT_X, "through io_uring") {
    through_uring(
        SYSCALL_SYMLINKAT_X,
        [](Uring& uring) {
            const auto link = reinterpret_cast<std::uintptr_t>("link");
            note(0, uring.run(operation(IORING_OP_SYMLINKAT, AT_FDCWD, "/etc/shadow", 0, link)));
        },
        [](const Run& run, std::span<const EventView> events) {
            if (run.note(0) == -EINVAL)
                return Coverage::get().skip("io_uring of this kernel makes no links", {});
            expect_some(events, 0,
                        {{"res", 0},
                         {"target", "/etc/shadow"},
                         {"linkdirfd", AT_FDCWD},
                         {"linkpath", "link"}});
        });
}

LIVE_TEST(SYSCALL_MKDIRAT_X, "through io_uring") {
    through_uring(
        SYSCALL_MKDIRAT_X,
        [](Uring& uring) {
            note(0, uring.run(operation(IORING_OP_MKDIRAT, AT_FDCWD, "directory", 0700)));
        },
        [](const Run& run, std::span<const EventView> events) {
            if (run.note(0) == -EINVAL)
                return Coverage::get().skip("io_uring of this kernel makes no directories", {});
            expect_some(events, 0, {{"res", 0}, {"path", "directory"}, {"mode", 0700}});
        });
}

namespace {

constexpr Ip4 kServer{"127.0.0.1", 41871};

void connect_and_talk(Uring& uring) {
    static const sockaddr_in kAddress = kServer.for_call();
    const int server = listening(kServer.for_call());
    const int client = socket(AF_INET, SOCK_STREAM, 0);
    note(0, server);
    note(1, client);
    note(2, uring.run(operation(IORING_OP_CONNECT, client, &kAddress, 0, sizeof kAddress)));
    note(3, uring.run(operation(IORING_OP_ACCEPT, server)));
    static char text[] = "hello", room[8];
    note(4, uring.run(operation(IORING_OP_SEND, client, text, 5)));
    note(5, uring.run(operation(IORING_OP_RECV, static_cast<int>(note_of(3)), room, 8)));
    iovec part{text, 3};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    note(6, uring.run(operation(IORING_OP_SENDMSG, client, &message, 1)));
    note(7, uring.run(operation(IORING_OP_RECVMSG, static_cast<int>(note_of(3)), &message, 1)));
    note(8, uring.run(operation(IORING_OP_SHUTDOWN, client, nullptr, SHUT_WR)));
    note(9, uring.run(operation(IORING_OP_CLOSE, client)));
}

} // namespace

LIVE_TEST(SOCKET_CONNECT_X, "through io_uring") {
    through_uring(SOCKET_CONNECT_X, connect_and_talk,
                  [](const Run& run, std::span<const EventView> events) {
                      expect_some(events, 0,
                                  {{"res", 0},
                                   {"fd", run.note(1)},
                                   {"addr", address(kServer)},
                                   {"tuple", containing(kServer.bytes())}});
                      CHECK(events.size() == 1);
                  });
}

LIVE_TEST(SOCKET_ACCEPT_5_X, "through io_uring") {
    through_uring(
        SOCKET_ACCEPT_5_X, connect_and_talk, [](const Run& run, std::span<const EventView> events) {
            expect_some(
                events, 0,
                {{"fd", run.note(3)}, {"queuemax", 5}, {"tuple", containing(kServer.bytes())}});
        });
}

LIVE_TEST(SOCKET_SENDTO_X, "through io_uring") {
    through_uring(SOCKET_SENDTO_X, connect_and_talk,
                  [](const Run& run, std::span<const EventView> events) {
                      expect_some(events, 0,
                                  {{"res", 5},
                                   {"fd", run.note(1)},
                                   {"data", Raw{"hello"}},
                                   {"size", 5},
                                   {"tuple", containing(kServer.bytes())}});
                  });
}

LIVE_TEST(SOCKET_RECVFROM_X, "through io_uring") {
    through_uring(SOCKET_RECVFROM_X, connect_and_talk,
                  [](const Run& run, std::span<const EventView> events) {
                      expect_some(events, 0,
                                  {{"res", 5},
                                   {"fd", run.note(3)},
                                   {"data", Raw{"hello"}},
                                   {"size", 8},
                                   {"tuple", containing(kServer.bytes())}});
                  });
}

LIVE_TEST(SOCKET_SENDMSG_X, "through io_uring") {
    through_uring(
        SOCKET_SENDMSG_X, connect_and_talk, [](const Run& run, std::span<const EventView> events) {
            expect_some(events, 0,
                        {{"res", 3}, {"fd", run.note(1)}, {"data", Raw{"hel"}}, {"size", 3}});
        });
}

LIVE_TEST(SOCKET_RECVMSG_X, "through io_uring") {
    through_uring(
        SOCKET_RECVMSG_X, connect_and_talk, [](const Run& run, std::span<const EventView> events) {
            expect_some(events, 0, {{"res", 3}, {"fd", run.note(3)}, {"data", Raw{"hel"}}});
        });
}

LIVE_TEST(SOCKET_SHUTDOWN_X, "through io_uring") {
    through_uring(
        SOCKET_SHUTDOWN_X, connect_and_talk, [](const Run& run, std::span<const EventView> events) {
            expect_some(events, 0, {{"res", run.note(8)}, {"fd", run.note(1)}, {"how", 1}});
        });
}

LIVE_TEST(SYSCALL_CLOSE_X, "through io_uring") {
    through_uring(SYSCALL_CLOSE_X, connect_and_talk,
                  [](const Run& run, std::span<const EventView> events) {
                      expect_some(events, events.size() - 1, {{"res", 0}, {"fd", run.note(1)}});
                  });
}

namespace {

void make_server(Uring& uring) {
    static const sockaddr_in kAddress = Ip4{"127.0.0.200", 41872}.for_call();
    note(0, uring.run(operation(kOpSocket, AF_INET, nullptr, 0, SOCK_STREAM)));
    const int server =
        note_of(0) >= 0 ? static_cast<int>(note_of(0)) : socket(AF_INET, SOCK_STREAM, 0);
    note(1, server);
    note(2, uring.run(operation(kOpBind, server, &kAddress, 0, sizeof kAddress)));
    note(3, uring.run(operation(kOpListen, server, nullptr, 7)));
}

constexpr const char* kTooOld = "io_uring of this kernel has no such operation";

} // namespace

LIVE_TEST(SOCKET_SOCKET_X, "through io_uring") {
    through_uring(
        SOCKET_SOCKET_X, make_server, [](const Run& run, std::span<const EventView> events) {
            if (run.note(0) < 0)
                return Coverage::get().skip(kTooOld, {});
            expect_some(
                events, 0,
                {{"fd", run.note(0)}, {"domain", AF_INET}, {"type", SOCK_STREAM}, {"proto", 0}});
        });
}

LIVE_TEST(SOCKET_BIND_X, "through io_uring") {
    through_uring(
        SOCKET_BIND_X, make_server, [](const Run& run, std::span<const EventView> events) {
            if (run.note(2) < 0)
                return Coverage::get().skip(kTooOld, {});
            expect_some(
                events, 0,
                {{"res", 0}, {"fd", run.note(1)}, {"addr", address(Ip4{"127.0.0.200", 41872})}});
        });
}

LIVE_TEST(SOCKET_LISTEN_X, "through io_uring") {
    through_uring(SOCKET_LISTEN_X, make_server,
                  [](const Run& run, std::span<const EventView> events) {
                      if (run.note(3) < 0)
                          return Coverage::get().skip(kTooOld, {});
                      expect_some(events, 0, {{"res", 0}, {"fd", run.note(1)}, {"backlog", 7}});
                  });
}

namespace {

void read_and_write(Uring& uring) {
    static char text[] = "abcdef", room[8];
    const int file = open("file", O_CREAT | O_RDWR, 0600);
    note(0, file);
    note(1, uring.run(operation(IORING_OP_WRITE, file, text, 4)));
    note(2, uring.run(operation(IORING_OP_READ, file, room, 8)));
    const iovec parts[] = {{text, 2}, {text + 2, 1}};
    note(3, uring.run(operation(IORING_OP_WRITEV, file, parts, 2)));
    note(4, uring.run(operation(IORING_OP_READV, file, parts, 2)));
    int from[2], to[2];
    if (pipe(from) != 0 || pipe(to) != 0 || write(from[1], text, 3) != 3)
        _exit(97);
    note(5, from[0]);
    note(6, to[1]);
    io_uring_sqe splice = operation(IORING_OP_SPLICE, to[1], nullptr, 3, ~std::uint64_t{0});
    splice.splice_off_in = ~std::uint64_t{0};
    splice.splice_fd_in = from[0];
    note(7, uring.run(splice));
}

} // namespace

LIVE_TEST(SYSCALL_WRITE_X, "through io_uring") {
    through_uring(
        SYSCALL_WRITE_X, read_and_write, [](const Run& run, std::span<const EventView> events) {
            expect_some(
                events, 0,
                {{"res", run.note(1)}, {"fd", run.note(0)}, {"data", Raw{"abcd"}}, {"size", 4}});
        });
}

LIVE_TEST(SYSCALL_READ_X, "through io_uring") {
    through_uring(
        SYSCALL_READ_X, read_and_write, [](const Run& run, std::span<const EventView> events) {
            expect_some(events, 0,
                        {{"res", 4}, {"fd", run.note(0)}, {"data", Raw{"abcd"}}, {"size", 8}});
        });
}

LIVE_TEST(SYSCALL_WRITEV_X, "through io_uring") {
    through_uring(
        SYSCALL_WRITEV_X, read_and_write, [](const Run& run, std::span<const EventView> events) {
            expect_some(events, 0,
                        {{"res", 3}, {"fd", run.note(0)}, {"data", Raw{"abc"}}, {"size", 3}});
        });
}

LIVE_TEST(SYSCALL_READV_X, "through io_uring") {
    through_uring(SYSCALL_READV_X, read_and_write,
                  [](const Run& run, std::span<const EventView> events) {
                      expect_some(events, 0, {{"res", 3}, {"fd", run.note(0)}, {"size", 3}});
                  });
}

LIVE_TEST(SYSCALL_SPLICE_X, "through io_uring") {
    through_uring(
        SYSCALL_SPLICE_X, read_and_write, [](const Run& run, std::span<const EventView> events) {
            expect_some(events, 0, {{"res", run.note(7)}, {"fd_out", run.note(6)}, {"size", 3}});
        });
}

} // namespace tiercel::live
