// SPDX-License-Identifier: Apache-2.0
// Waiting: poll, ppoll, select, epoll_wait, futex, nanosleep; semaphores.
#include <linux/futex.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ipc.h>
#include <sys/select.h>
#include <sys/sem.h>

#include <cstring>
#include <ctime>

#include "tests/live/harness/numbers.h"
#include "tests/live/harness/run.h"

namespace tiercel::live {

namespace {

// The list of an event: a 16-bit count, then a 64-bit fd and 16 bits of returned events each.
Raw fd_list(std::initializer_list<std::pair<long, unsigned>> entries) {
    Raw raw;
    auto put = [&](auto value) {
        raw.bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
    };
    put(static_cast<std::uint16_t>(entries.size()));
    for (auto [fd, events] : entries) {
        put(static_cast<std::int64_t>(fd));
        put(static_cast<std::uint16_t>(events));
    }
    return raw;
}

// A pipe with a byte in it: notes 0 and 1 are its ends.
void make_pipe() {
    int ends[2];
    if (pipe(ends) < 0 || write(ends[1], "x", 1) != 1)
        _exit(98);
    note(0, ends[0]);
    note(1, ends[1]);
}

pollfd on(long fd, short events) {
    return {static_cast<int>(fd), events, 0};
}

} // namespace

LIVE_TEST(SYSCALL_POLL_X) {
    Run run([] {
        make_pipe();
        pollfd fds[] = {on(note_of(0), POLLIN | POLLPRI), on(note_of(1), POLLOUT), on(99, POLLIN)};
        call(SYS_poll, fds, 3, 250);
        call(SYS_poll, nullptr, 1, 0);
    });
    // POLLIN is 1, POLLOUT 4, POLLNVAL 64 in the schema.
    run.expect(SYSCALL_POLL_X, {{"res", 3},
                                {"fds", fd_list({{run.note(0), 1}, {run.note(1), 4}, {99, 64}})},
                                {"timeout", 250}});
    run.expect(SYSCALL_POLL_X, {{"res", -EFAULT}, {"fds", kNothing}, {"timeout", 0}});
}

LIVE_TEST(SYSCALL_POLL_X, "more than are kept") {
    Run run([] {
        pollfd fds[40];
        for (pollfd& entry : fds)
            entry = on(-1, POLLIN);
        call(SYS_poll, fds, 40, 0);
    });
    run.expect(SYSCALL_POLL_X, {{"res", 0},
                                {"fds", fd_list({{-1, 0},
                                                 {-1, 0},
                                                 {-1, 0},
                                                 {-1, 0},
                                                 {-1, 0},
                                                 {-1, 0},
                                                 {-1, 0},
                                                 {-1, 0},
                                                 {-1, 0},
                                                 {-1, 0},
                                                 {-1, 0},
                                                 {-1, 0},
                                                 {-1, 0},
                                                 {-1, 0},
                                                 {-1, 0},
                                                 {-1, 0}})},
                                {"timeout", 0}});
}

LIVE_TEST(SYSCALL_PPOLL_X) {
    Run run([] {
        make_pipe();
        pollfd fds[] = {on(note_of(0), POLLIN)};
        timespec timeout{1, 500};
        const unsigned long mask = 0x102;
        call(SYS_ppoll, fds, 1, &timeout, &mask, sizeof mask);
        note(2, timeout.tv_sec * 1'000'000'000 + timeout.tv_nsec); // the call leaves what is left
        call(SYS_ppoll, nullptr, 2, nullptr, nullptr, 8);
    });
    run.expect(SYSCALL_PPOLL_X, {{"res", 1},
                                 {"fds", fd_list({{run.note(0), 1}})},
                                 {"timeout", run.note(2)},
                                 {"sigmask", 0x102}});
    run.expect(SYSCALL_PPOLL_X,
               {{"res", -EFAULT}, {"fds", kNothing}, {"timeout", 0}, {"sigmask", 0}});
}

LIVE_TEST(SYSCALL_SELECT_X) {
    Run run([] {
        make_pipe();
        fd_set set;
        FD_ZERO(&set);
        FD_SET(note_of(0), &set);
        timeval timeout{1, 0};
        call(SYS_select, note_of(0) + 1, &set, nullptr, nullptr, &timeout);
        call(SYS_select, -1, nullptr, nullptr, nullptr, nullptr);
    });
    run.expect(SYSCALL_SELECT_X, {{"res", 1}});
    run.expect(SYSCALL_SELECT_X, {{"res", -EINVAL}});
}

LIVE_TEST(SYSCALL_EPOLLWAIT_X) {
    Run run([] {
        make_pipe();
        const int epoll = epoll_create1(0);
        epoll_event event{.events = EPOLLIN, .data = {}};
        epoll_ctl(epoll, EPOLL_CTL_ADD, static_cast<int>(note_of(0)), &event);
        call(SYS_epoll_wait, epoll, &event, 1, 1000);
        call(SYS_epoll_wait, epoll, &event, -5, 0);
    });
    run.expect(SYSCALL_EPOLLWAIT_X, {{"res", 1}, {"maxevents", 1}});
    run.expect(SYSCALL_EPOLLWAIT_X, {{"res", -EINVAL}, {"maxevents", -5}});
}

LIVE_TEST(SYSCALL_FUTEX_X) {
    static std::uint32_t word;
    Run run([] {
        call(SYS_futex, &word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 6, nullptr, nullptr, 0);
        call(SYS_futex, &word, FUTEX_WAIT, 5, nullptr, nullptr, 0);
    });
    run.expect(SYSCALL_FUTEX_X,
               {{"res", 0}, {"addr", as_argument(&word)}, {"op", 1 | 128}, {"val", 6}});
    run.expect(SYSCALL_FUTEX_X,
               {{"res", -EAGAIN}, {"addr", as_argument(&word)}, {"op", 0}, {"val", 5}});
}

LIVE_TEST(SYSCALL_NANOSLEEP_X) {
    Run run([] {
        const timespec interval{0, 12345};
        call(SYS_nanosleep, &interval, nullptr);
        const timespec wrong{1, 2'000'000'000};
        call(SYS_nanosleep, &wrong, nullptr);
        call(SYS_nanosleep, nullptr, nullptr);
    });
    run.expect(SYSCALL_NANOSLEEP_X, {{"res", 0}, {"interval", 12345}});
    run.expect(SYSCALL_NANOSLEEP_X, {{"res", -EINVAL}, {"interval", 3'000'000'000}});
    run.expect(SYSCALL_NANOSLEEP_X, {{"res", -EFAULT}, {"interval", 0}});
}

namespace {

int make_semaphores() {
    const int id = semget(IPC_PRIVATE, 3, 0600 | IPC_CREAT);
    note(0, id);
    return id;
}
void remove_semaphores() {
    semctl(static_cast<int>(note_of(0)), 0, IPC_RMID);
}

} // namespace

LIVE_TEST(SYSCALL_SEMGET_X) {
    Run run([] {
        note(0, call(SYS_semget, IPC_PRIVATE, 3, 0640 | IPC_CREAT | IPC_EXCL));
        call(SYS_semget, 0x7e571e57, -1, 0);
        remove_semaphores();
    });
    run.expect(SYSCALL_SEMGET_X,
               {{"res", run.result(0)}, {"key", 0}, {"nsems", 3}, {"semflg", 0640 | 8192 | 16384}});
    run.expect(SYSCALL_SEMGET_X,
               {{"res", -EINVAL}, {"key", 0x7e571e57}, {"nsems", -1}, {"semflg", 0}});
}

LIVE_TEST(SYSCALL_SEMOP_X) {
    Run run([] {
        sembuf operations[] = {{1, 5, SEM_UNDO}, {2, 3, IPC_NOWAIT}};
        call(SYS_semop, make_semaphores(), operations, 2);
        operations[0].sem_op = -7;
        operations[0].sem_flg = IPC_NOWAIT;
        call(SYS_semop, note_of(0), operations, 1);
        remove_semaphores();
    });
    run.expect(SYSCALL_SEMOP_X, {{"res", 0},
                                 {"nsops", 2},
                                 {"sem_num_0", 1},
                                 {"sem_op_0", 5},
                                 {"sem_flg_0", 2},
                                 {"sem_num_1", 2},
                                 {"sem_op_1", 3},
                                 {"sem_flg_1", 1},
                                 {"semid", run.note(0)}});
    run.expect(SYSCALL_SEMOP_X, {{"res", -EAGAIN},
                                 {"nsops", 1},
                                 {"sem_num_0", 1},
                                 {"sem_op_0", -7},
                                 {"sem_flg_0", 1},
                                 {"sem_num_1", 0},
                                 {"sem_op_1", 0},
                                 {"sem_flg_1", 0},
                                 {"semid", run.note(0)}});
}

LIVE_TEST(SYSCALL_SEMCTL_X) {
    Run run([] {
        make_semaphores();
        call(SYS_semctl, note_of(0), 1, SETVAL, 42);
        call(SYS_semctl, note_of(0), 1, GETVAL, 43);
        call(SYS_semctl, -1, 2, GETPID, 44);
        remove_semaphores();
    });
    run.expect(SYSCALL_SEMCTL_X,
               {{"res", 0}, {"semid", run.note(0)}, {"semnum", 1}, {"cmd", 4096}, {"val", 42}});
    run.expect(SYSCALL_SEMCTL_X,
               {{"res", 42}, {"semid", run.note(0)}, {"semnum", 1}, {"cmd", 512}, {"val", 0}});
    run.expect(SYSCALL_SEMCTL_X,
               {{"res", -EINVAL}, {"semid", -1}, {"semnum", 2}, {"cmd", 256}, {"val", 0}});
}

} // namespace tiercel::live
