// SPDX-License-Identifier: Apache-2.0
//
// Short lives, odd parents, and threads that execute programs: no thread is left over, and each has
// the files and names that the kernel gives it.
#include <doctest/doctest.h>

#include <string>

#include "analyzer/state/state_tracker.h"
#include "shared/event/params.h"
#include "tests/unit/state/event_builder.h"

using namespace tiercel;
using test::EventBuilder;
namespace clone_flags = event::flags::clone_flags;

namespace {

constexpr std::uint32_t kThread = clone_flags::kCLONE_FILES | clone_flags::kCLONE_FS |
                                  clone_flags::kCLONE_THREAD | clone_flags::kCLONE_VM;

struct Run {
    state::StateTracker state;
    std::uint64_t now = 1'000'000'000;

    const state::Current& apply(EventBuilder& event) {
        kept = event.ts(now += 1000).raw();
        return state.apply(*event::EventView::parse(kept), 0);
    }
    void clone(std::int64_t result, std::int64_t tid, std::int64_t pid, std::int64_t ptid,
               std::uint32_t flags = 0, std::int64_t vpid = -1, std::string_view comm = "sh") {
        using namespace std::literals;
        EventBuilder event(event::SYSCALL_CLONE_20_X);
        event.tid(static_cast<std::uint64_t>(tid)).i64(result).text("sh").none();
        event.i64(tid).i64(pid).i64(ptid).none().i64(1024).u64(0).u64(0).u32(0).u32(0).u32(0);
        event.text(comm).bytes("cpu=/\0"sv).u32(flags).u32(0).u32(0);
        event.i64(vpid < 0 ? tid : vpid).i64(vpid < 0 ? pid : vpid);
        apply(event);
    }
    void exec(std::int64_t tid, std::int64_t ptid, std::string_view comm) {
        EventBuilder event(event::SYSCALL_EXECVE_19_X);
        event.tid(static_cast<std::uint64_t>(tid)).i64(0).text(comm).none();
        event.i64(tid).i64(tid).i64(ptid).text("/home").i64(1024).u64(0).u64(0).u32(0).u32(0);
        event.u32(0).text(comm).none().none();
        apply(event);
    }
    void exit(std::int64_t tid, std::int64_t reaper = 0) {
        EventBuilder event(event::PROCEXIT_1_E);
        event.tid(static_cast<std::uint64_t>(tid)).i64(0).i64(0).u8(0).u8(0).i64(reaper);
        apply(event);
    }
    void open(std::int64_t tid, std::int64_t fd, std::string_view path) {
        EventBuilder event(event::SYSCALL_OPEN_X);
        event.tid(static_cast<std::uint64_t>(tid)).i64(fd).text(path).u32(1).u32(0).u32(0).u64(0);
        apply(event);
    }
    void chdir(std::int64_t tid, std::string_view path) {
        EventBuilder event(event::SYSCALL_CHDIR_X);
        apply(event.tid(static_cast<std::uint64_t>(tid)).i64(0).text(path));
    }
    std::vector<std::byte> kept;
};

Run with_shell() {
    Run run;
    run.exec(1, 0, "init");
    run.exec(10, 1, "sh");
    return run;
}

} // namespace

TEST_CASE("a child that ends before its parent's clone event leaves no thread") {
    Run run = with_shell();
    std::uint32_t flags = 0;
    SUBCASE("vfork") {
        flags = clone_flags::kCLONE_VFORK | clone_flags::kCLONE_VM;
    }
    SUBCASE("thread") {
        flags = kThread;
    }
    const bool is_thread = flags == kThread;
    run.clone(0, 20, is_thread ? 10 : 20, is_thread ? 1 : 10, flags);
    run.exit(20);
    run.clone(20, 10, 10, 1, flags);
    run.state.settle();
    CHECK(run.state.find(20) == nullptr);
    CHECK(run.state.thread_count() == 2);
}

TEST_CASE("a child whose own event was dropped leaves no thread either") {
    Run run = with_shell();
    run.exit(20);
    run.clone(20, 10, 10, 1);
    run.state.settle();
    CHECK(run.state.find(20) == nullptr);
}

TEST_CASE("a late event of an ended thread makes no placeholder") {
    Run run = with_shell();
    run.clone(0, 20, 20, 10);
    run.clone(20, 10, 10, 1);
    run.exit(20);
    EventBuilder late(event::SYSCALL_CLOSE_X);
    late.tid(20).ts(run.now - 500).i64(0).i64(3);
    run.state.apply(late.view(), 0);
    run.state.settle();
    CHECK(run.state.find(20) == nullptr);
}

TEST_CASE("many short lives leave the table as it was") {
    Run run = with_shell();
    const std::size_t before = state::StateTracker::memory();
    for (std::int64_t i = 0; i < 20'000; ++i) {
        const std::int64_t tid = 100 + i % 5000;
        const bool thread = i % 3 == 0;
        const std::uint32_t flags = thread ? kThread : 0;
        const auto child = [&] { run.clone(0, tid, thread ? 10 : tid, thread ? 1 : 10, flags); };
        const auto parent = [&] { run.clone(tid, 10, 10, 1, flags); };
        switch (i % 4) {
        case 0: child(), parent(), run.exit(tid); break;
        case 1: parent(), child(), run.exit(tid); break;
        case 2: child(), run.exit(tid), parent(); break;
        case 3: child(), run.open(tid, 3, "/x"), run.exit(tid), parent(); break;
        }
    }
    run.state.settle();
    CHECK(run.state.thread_count() == 2);
    CHECK(state::StateTracker::memory() < before + std::size_t{64} * 1024);
}

TEST_CASE("a CLONE_PARENT child descends from its creator's state and keeps its own ids") {
    Run run = with_shell();
    run.open(10, 3, "/of-creator");
    const std::uint32_t flags = clone_flags::kCLONE_PARENT;
    const auto child = [&] { run.clone(0, 20, 20, 1, flags, 1); };
    const auto creator = [&] { run.clone(20, 10, 10, 1, flags); };
    SUBCASE("child first") {
        child();
        creator();
    }
    SUBCASE("creator first") {
        creator();
        child();
    }
    const state::Thread* made = run.state.find(20);
    REQUIRE(made != nullptr);
    CHECK(made->ptid == 1);
    CHECK(made->vpid == 1);
    REQUIRE(made->fd(3) != nullptr);
    CHECK(made->fd(3)->name.view() == "/of-creator");
}

TEST_CASE("a parent is a process, not the thread that has called fork") {
    Run run = with_shell();
    run.clone(0, 11, 10, 1, kThread);
    run.clone(0, 20, 20, 11);
    CHECK(run.state.find(20)->ptid == 10);
}

TEST_CASE("nested processes keep their parents, however deep") {
    Run run = with_shell();
    for (std::int64_t pid = 11; pid < 2'000; ++pid)
        run.clone(0, pid, pid, pid - 1);
    CHECK(run.state.find(1'999)->ptid == 1'998);
}

TEST_CASE("the process tree has no cycles") {
    Run run = with_shell();
    SUBCASE("a clone whose parent is itself") {
        run.clone(0, 20, 20, 20);
        run.clone(0, 20, 20, 20);
        CHECK(run.state.find(20)->ptid == -1);
    }
    SUBCASE("a reused id") {
        run.clone(0, 20, 20, 10);
        run.clone(0, 30, 30, 20);
        run.now += 60'000'000'000; // the end of 10 was lost, and 30 makes a new 10
        run.clone(0, 10, 10, 30);
        CHECK(run.state.find(10)->ptid == 30);
        CHECK(run.state.find(20)->ptid == -1);
    }
    SUBCASE("a reaper that is the child itself") {
        run.clone(0, 20, 20, 10);
        run.exit(10, 20);
        CHECK(run.state.find(20)->ptid == -1);
    }
    SUBCASE("lists") {
        for (const std::int64_t tid : {100, 101, 102}) {
            state::Thread thread;
            thread.tid = thread.pid = tid;
            thread.ptid = tid == 102 ? 100 : tid + 1;
            run.state.add(std::move(thread));
        }
        run.state.link();
    }
    run.state.for_each_thread([&](const state::Thread& thread) {
        int depth = 0;
        for (const state::Thread* at = &thread; at != nullptr && depth < 10; ++depth)
            at = run.state.parent(*at);
        CHECK(depth < 10);
    });
}

TEST_CASE("an exec by another thread than the first keeps the open files") {
    Run run = with_shell();
    run.open(10, 9, "/kept");
    run.clone(0, 11, 10, 1, kThread);
    run.clone(11, 10, 10, 1, kThread);
    run.exit(10); // the leader ends, and the thread takes its id
    run.exec(10, 1, "ls");
    const state::Thread* thread = run.state.find(10);
    REQUIRE(thread != nullptr);
    REQUIRE(thread->fd(9) != nullptr);
    CHECK(thread->fd(9)->name.view() == "/kept");
    CHECK(thread->ptid == 1);
    CHECK(run.state.find(11) == nullptr);
    CHECK(run.state.thread_count() == 2);
}

TEST_CASE("prctl renames a thread, not its process or its children's") {
    Run run = with_shell();
    EventBuilder rename(event::SYSCALL_PRCTL_X);
    run.apply(rename.tid(10).i64(0).u32(event::flags::prctl_options::kPR_SET_NAME).text("sshd"));
    run.clone(0, 20, 20, 10, 0, -1, "sshd");
    for (const std::int64_t tid : {10, 20}) {
        CHECK(run.state.find(tid)->comm.view() == "sh");
        CHECK(run.state.find(tid)->own_name() == "sshd");
    }
    run.exec(20, 10, "ls");
    CHECK(run.state.find(20)->own_name() == "ls");
}

TEST_CASE("CLONE_FS shares the working directory between processes") {
    Run run = with_shell();
    run.clone(0, 20, 20, 10, clone_flags::kCLONE_FS);
    run.clone(0, 30, 30, 10);
    run.chdir(10, "/elsewhere");
    CHECK(run.state.find(20)->cwd() == "/elsewhere/");
    CHECK(run.state.find(30)->cwd() == "/home/");
}
