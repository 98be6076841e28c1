// SPDX-License-Identifier: Apache-2.0
//
// What events do to threads and processes.
#include <doctest/doctest.h>

#include <cstring>
#include <string>

#include "analyzer/state/state_tracker.h"
#include "tests/unit/state/event_builder.h"

using namespace tiercel;
using test::EventBuilder;

namespace {

constexpr std::uint32_t kThreadFlags = 1 | 2 | 2048 | 8192 | 32768; // what pthread_create asks for

EventBuilder clone(std::int64_t result, std::int64_t tid, std::int64_t pid, std::int64_t ptid,
                   std::uint32_t flags = 0, std::int64_t vtid = -1) {
    using namespace std::literals;
    EventBuilder event(event::SYSCALL_CLONE_20_X);
    event.tid(static_cast<std::uint64_t>(tid)).i64(result).text("bash").bytes("-c\0ls\0"sv);
    event.i64(tid).i64(pid).i64(ptid).none().i64(1024).u64(1).u64(2).u32(3).u32(4).u32(5).text(
        "bash");
    event.bytes("cpu=/user\0"sv).u32(flags).u32(1000).u32(1000);
    event.i64(vtid < 0 ? tid : vtid).i64(vtid < 0 ? pid : vtid);
    return event;
}

EventBuilder exec(std::int64_t pid, std::int64_t ptid, std::string_view comm,
                  std::int64_t result = 0) {
    using namespace std::literals;
    EventBuilder event(event::SYSCALL_EXECVE_19_X);
    event.tid(static_cast<std::uint64_t>(pid)).i64(result).text(comm).bytes("-l\0/tmp\0"sv);
    event.i64(pid).i64(pid).i64(ptid).text("/home/me").u64(1024).u64(0).u64(0).u32(0).u32(0).u32(0);
    event.text(comm).bytes("cpu=/user\0"sv).bytes("HOME=/home/me\0A=1\0"sv).u32(34816).i64(pid);
    event.u32(1000).u32(5).u64(1).u64(2).u64(3).u64(77).u64(88).u64(99).u32(1000);
    event.text(std::string("/usr/bin/") + std::string(comm)).i64(pid).u32(100);
    return event;
}

EventBuilder open(std::int64_t tid, std::int64_t fd, std::string_view path,
                  std::uint32_t flags = 1) {
    EventBuilder event(event::SYSCALL_OPEN_X);
    event.tid(static_cast<std::uint64_t>(tid)).i64(fd).text(path).u32(flags).u32(0).u32(8).u64(9);
    return event;
}

EventBuilder exit_of(std::int64_t tid, std::int64_t reaper = 0) {
    EventBuilder event(event::PROCEXIT_1_E);
    event.tid(static_cast<std::uint64_t>(tid)).i64(0).i64(0).u8(0).u8(0).i64(reaper);
    return event;
}

// An engine with a shell (pid 10, child of 1) in it.
struct Shell {
    state::StateTracker engine;
    Shell(state::Limits limits = {}) : engine(limits) {
        apply(exec(1, 0, "init"));
        apply(exec(10, 1, "bash"));
    }
    const state::Current& apply(EventBuilder event) {
        kept = std::move(event);
        return engine.apply(kept.view(), 0);
    }
    EventBuilder kept{event::SYSCALL_CLOSE_X};
};

} // namespace

TEST_CASE("an unknown thread is a placeholder until its exec") {
    state::StateTracker engine;
    EventBuilder read(event::SYSCALL_READ_X);
    const auto& now = engine.apply(read.tid(5).i64(0).view(), 0);
    REQUIRE(now.thread != nullptr);
    CHECK(now.thread->is_placeholder());
    CHECK(now.thread->comm.view() == "<NA>");
    CHECK(now.thread->cwd() == "./");
    CHECK(engine.counters().placeholders == 1);

    auto execve = exec(5, 3, "vim");
    engine.apply(execve.view(), 0);
    const state::Thread* thread = engine.find(5);
    CHECK(thread->pid == 5);
    CHECK(thread->ptid == 3);
    CHECK(thread->comm.view() == "vim");
    CHECK(thread->exepath.view() == "/usr/bin/vim");
    CHECK(thread->cwd() == "/home/me/");
    CHECK(thread->uid == 1000);
    CHECK(thread->gid == 100);
    CHECK(thread->tty == 34816);
    CHECK(thread->has(state::Thread::exe_writable));
    CHECK(thread->has(state::Thread::exe_from_memfd));
    CHECK(thread->exe_ino == 77);
}

TEST_CASE("a failed exec changes nothing") {
    Shell shell;
    shell.apply(exec(10, 1, "nothing", -2));
    CHECK(shell.engine.find(10)->comm.view() == "bash");
}

TEST_CASE("parent's and child's clone events, in either order") {
    const auto check = [](Shell& shell) {
        const state::Thread* child = shell.engine.find(20);
        REQUIRE(child != nullptr);
        CHECK(child->pid == 20);
        CHECK(child->ptid == 10);
        CHECK(child->comm.view() == "bash");
        CHECK(child->exepath.view() == "/usr/bin/bash");
        CHECK(child->cwd() == "/home/me/");
        CHECK(child->process->env.view().starts_with("HOME="));
        CHECK(child->process->threads == 1);
        CHECK(child->fd(3)->name.view() == "/etc/passwd");
        CHECK(shell.engine.parent(*child)->pid == 10);
    };
    SUBCASE("child first") {
        Shell shell;
        shell.apply(open(10, 3, "/etc/passwd"));
        shell.apply(clone(0, 20, 20, 10));
        shell.apply(clone(20, 10, 10, 1));
        check(shell);
    }
    SUBCASE("parent first") {
        Shell shell;
        shell.apply(open(10, 3, "/etc/passwd"));
        shell.apply(clone(20, 10, 10, 1));
        shell.apply(clone(0, 20, 20, 10));
        check(shell);
    }
}

TEST_CASE("a process has its own copy of the fds, a thread shares them") {
    Shell shell;
    shell.apply(open(10, 3, "/a"));
    shell.apply(clone(0, 20, 20, 10));
    shell.apply(clone(0, 11, 10, 1, kThreadFlags));
    shell.apply(open(10, 4, "/b"));
    CHECK(shell.engine.find(20)->fd(3) != nullptr);
    CHECK(shell.engine.find(20)->fd(4) == nullptr);
    CHECK(shell.engine.find(11)->fd(4)->name.view() == "/b");
    CHECK(shell.engine.find(11)->process->threads == 2);
    CHECK(shell.engine.leader(*shell.engine.find(11))->tid == 10);
}

TEST_CASE("a parent in another pid namespace does not know its child's id") {
    Shell shell;
    shell.apply(clone(3, 10, 10, 1, 1u << 29));
    CHECK(shell.engine.find(3) == nullptr);
}

TEST_CASE("an exec ends the other threads and closes what is to be closed") {
    constexpr std::uint32_t kCloexec = 1u << 12;
    Shell shell;
    shell.apply(clone(0, 11, 10, 1, kThreadFlags));
    shell.apply(open(10, 3, "/kept"));
    shell.apply(open(10, 4, "/closed", 1 | kCloexec));
    shell.apply(exec(10, 1, "ls"));
    CHECK(shell.engine.find(11) == nullptr);
    CHECK(shell.engine.find(10)->fd(3) != nullptr);
    CHECK(shell.engine.find(10)->fd(4) == nullptr);
    CHECK(shell.engine.find(10)->process->threads == 1);
}

TEST_CASE("a thread that ends is seen by its last event, not by the next") {
    Shell shell;
    const auto& now = shell.apply(exit_of(10));
    REQUIRE(now.thread != nullptr);
    CHECK(now.thread->comm.view() == "bash");
    shell.apply(open(1, 3, "/x"));
    CHECK(shell.engine.find(10) == nullptr);
}

TEST_CASE("children of a process that ends go to the reaper") {
    Shell shell;
    shell.apply(clone(0, 20, 20, 10));
    shell.apply(exit_of(10, 1));
    CHECK(shell.engine.find(20)->ptid == 1);
    CHECK(shell.engine.parent(*shell.engine.find(20))->comm.view() == "init");
}

TEST_CASE("a reused thread id is another thread") {
    Shell shell;
    shell.apply(clone(0, 20, 20, 10).ts(1'000'000'000));
    shell.apply(exec(20, 10, "old"));
    shell.apply(clone(0, 20, 20, 1).ts(60'000'000'000));
    CHECK(shell.engine.find(20)->ptid == 1);
    CHECK(shell.engine.find(20)->comm.view() == "bash");
}

TEST_CASE("directories, users, names") {
    Shell shell;
    shell.apply(std::move(EventBuilder(event::SYSCALL_CHDIR_X).tid(10).i64(0).text("../you/./x")));
    CHECK(shell.engine.find(10)->cwd() == "/home/you/x/");
    shell.apply(std::move(EventBuilder(event::SYSCALL_CHDIR_X).tid(10).i64(-2).text("/nowhere")));
    CHECK(shell.engine.find(10)->cwd() == "/home/you/x/");
    shell.apply(std::move(EventBuilder(event::SYSCALL_SETUID_X).tid(10).i64(0).u32(33)));
    CHECK(shell.engine.find(10)->uid == 33);
    shell.apply(std::move(
        EventBuilder(event::SYSCALL_SETRESUID_X).tid(10).i64(0).u32(1).u32(UINT32_MAX).u32(3)));
    CHECK(shell.engine.find(10)->uid == 33);
    shell.apply(std::move(
        EventBuilder(event::SYSCALL_PRCTL_X).tid(10).i64(0).u32(15).text("worker/0").none()));
    CHECK(shell.engine.find(10)->own_name() == "worker/0");
    CHECK(shell.engine.find(10)->comm.view() == "bash"); // a process's name is what exec gave
    shell.apply(
        std::move(EventBuilder(event::SYSCALL_CAPSET_X).tid(10).i64(0).u64(1).u64(2).u64(4)));
    CHECK(shell.engine.find(10)->cap_effective == 4);
    shell.apply(std::move(EventBuilder(event::SYSCALL_SETSID_X).tid(10).i64(10)));
    CHECK(shell.engine.find(10)->sid == 10);
    CHECK(shell.engine.find(10)->tty == 0);
}

TEST_CASE("the real user and the namespaces, as events tell them") {
    using state::Namespace;
    const auto mount = [](const state::Thread& thread) {
        std::uint32_t number = 0;
        REQUIRE(thread.namespaces.view().size() == state::kNamespaceBytes);
        std::memcpy(&number,
                    &thread.namespaces.view()[static_cast<std::size_t>(Namespace::mnt) * 4], 4);
        return number;
    };
    const auto numbers = [](std::uint32_t first) {
        std::string bytes;
        for (std::uint32_t i = 0; i < state::kNamespaceBytes / sizeof i; ++i) {
            const std::uint32_t number = first + i;
            bytes.append(reinterpret_cast<const char*>(&number), sizeof number);
        }
        return bytes;
    };
    Shell shell;
    CHECK(shell.engine.find(10)->ruid == state::kNoId);
    EventBuilder setuid(event::SYSCALL_SETUID_X);
    setuid.tid(10).i64(0).u32(0).u32(33).u32(34).u64(1).u64(2).u32(35);
    shell.apply(std::move(setuid));
    CHECK(shell.engine.find(10)->uid == 33);
    CHECK(shell.engine.find(10)->ruid == 35);
    EventBuilder unshare(event::SYSCALL_UNSHARE_X);
    unshare.tid(10).i64(0).u32(0).u32(33).u32(34).u64(1).u64(2).u32(35).bytes(numbers(100));
    shell.apply(std::move(unshare));
    CHECK(mount(*shell.engine.find(10)) == 102);
    EventBuilder setns(event::SYSCALL_SETNS_X);
    setns.tid(10).i64(0).i64(3).u32(0).u32(33).u32(34).u64(1).u64(2).u32(36).bytes(numbers(200));
    shell.apply(std::move(setns));
    CHECK(mount(*shell.engine.find(10)) == 202);
    CHECK(shell.engine.find(10)->ruid == 36);
    EventBuilder damaged(event::SYSCALL_UNSHARE_X);
    damaged.tid(10).i64(0).u32(0).u32(33).u32(34).u64(1).u64(2).u32(36).bytes("short");
    shell.apply(std::move(damaged));
    CHECK(mount(*shell.engine.find(10)) == 202);
}

TEST_CASE("the table of threads stays within its limit") {
    Shell shell({.threads = 64, .fds = 8});
    for (std::int64_t pid = 1000; pid < 2000; ++pid) {
        shell.apply(open(10, 3, "/busy"));
        shell.apply(exec(pid, 10, "short"));
    }
    CHECK(shell.engine.thread_count() <= 64);
    CHECK(shell.engine.counters().evicted_threads >= 900);
    CHECK(shell.engine.find(10)->comm.view() == "bash"); // in use all the time, so never evicted
}

TEST_CASE("the table of fds stays within its limit") {
    Shell shell({.threads = 64, .fds = 8});
    for (std::int64_t fd = 0; fd < 100; ++fd)
        shell.apply(open(10, fd, "/x"));
    CHECK(shell.engine.find(10)->process->fds->size() == 8);
    CHECK(shell.engine.counters().refused_fds == 92);
}

TEST_CASE("iterator records fill what events have not told") {
    using namespace std::literals;
    state::StateTracker engine;
    EventBuilder task(event::ITER_TASK_E);
    task.tid(10ull << 32 | 10).i32(1).i32(10).i32(10).i32(10).text("bash").bytes("bash\0-l\0"sv);
    task.text("/bin/bash")
        .u32(0)
        .bytes("A=1\0"sv)
        .text("/root")
        .u64(1024)
        .u32(0)
        .u32(0)
        .u64(7)
        .u64(8)
        .u64(9);
    task.u64(1).u64(2).u64(3).u32(4).u32(5).u32(6).u64(7).u64(8).i32(10).i32(10).u64(0);
    task.bytes("=/system.slice\0"sv).text("/").u64(5).u32(0).u32(UINT32_MAX);
    engine.apply(task.view(), 0);
    EventBuilder file(event::ITER_TASK_FILE_REGULAR_E);
    file.tid(10ull << 32 | 10).i32(3).text("/etc/hosts").u32(1 | 1u << 12).u32(2).u64(55);
    engine.apply(file.view(), 0);
    const state::Thread* thread = engine.find(10);
    REQUIRE(thread != nullptr);
    CHECK(thread->comm.view() == "bash");
    CHECK(thread->exe.view() == "bash");
    CHECK(thread->args.view() == "-l\0"sv);
    CHECK(thread->cwd() == "/root/");
    CHECK(thread->cap_permitted == 7);
    CHECK(thread->fd(3)->name.view() == "/etc/hosts");
    CHECK(thread->fd(3)->is(state::Fd::cloexec));
    CHECK(engine.counters().placeholders == 0);
}

// Only a damaged capture has such an event; the thread must outlive it.
TEST_CASE("a clone that gives the caller itself as the child changes nothing") {
    state::StateTracker engine;
    const auto clone = [&](std::uint64_t ts) {
        EventBuilder event(event::SYSCALL_CLONE_20_X);
        event.tid(20).ts(ts).i64(20).text("sh").none().i64(20).i64(20).i64(1);
        engine.apply(event.view(), 0);
        return engine.find(20);
    };
    REQUIRE(clone(1) != nullptr);
    CHECK(clone(2)->pid == 20);
    CHECK(engine.thread_count() == 1);
}
