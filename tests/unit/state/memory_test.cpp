// SPDX-License-Identifier: Apache-2.0
//
// The state keeps to its budget: tables are shared until they differ, idle knowledge goes first,
// and chosen ids do not slow the tables down.
#include <doctest/doctest.h>
#include <malloc.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <string>

#include "analyzer/state/state_tracker.h"
#include "tests/unit/state/event_builder.h"

using namespace tiercel;
using test::EventBuilder;

namespace {

state::Thread process(std::int64_t pid) {
    state::Thread thread;
    thread.tid = thread.pid = thread.vtid = thread.vpid = pid;
    thread.ptid = 1;
    thread.comm = thread.exe = state::Text("server");
    return thread;
}

state::Fd named(std::string_view name, state::FdKind kind = state::FdKind::file) {
    state::Fd fd;
    fd.kind = kind;
    fd.name = state::Text(name);
    return fd;
}

void fork(state::StateTracker& state, std::int64_t parent, std::int64_t child) {
    EventBuilder event(event::SYSCALL_CLONE_20_X);
    event.tid(static_cast<std::uint64_t>(child)).i64(0).text("server").none();
    event.i64(child).i64(child).i64(parent);
    state.apply(event.view(), 0);
}

void open(state::StateTracker& state, std::int64_t pid, std::int64_t fd, std::string_view name) {
    EventBuilder event(event::SYSCALL_OPEN_X);
    event.tid(static_cast<std::uint64_t>(pid)).i64(fd).text(name).u32(1).u32(0).u32(0).u64(0);
    state.apply(event.view(), 0);
}

} // namespace

TEST_CASE("children share their parent's table of files until it differs") {
    state::StateTracker state;
    state.add(process(10));
    for (std::int64_t fd = 0; fd < 4000; ++fd)
        state.add_fd(10, fd, named("/file"));
    const std::size_t before = state::StateTracker::memory();
    for (std::int64_t child = 100; child < 400; ++child)
        fork(state, 10, child);
    CHECK(state::StateTracker::memory() - before < 1024 * 1024);
    open(state, 100, 4000, "/own");
    CHECK(state.find(100)->fd(4000)->name.view() == "/own");
    CHECK(state.find(10)->fd(4000) == nullptr);
    CHECK(state.find(101)->fd(3999)->name.view() == "/file");
}

TEST_CASE("a full table gives up old files, and keeps new ones and sockets") {
    state::StateTracker state({.fds = 4096});
    state.add(process(10));
    for (std::int64_t fd = 0; fd < 200; ++fd)
        state.add_fd(10, fd, named("socket", state::FdKind::ipv4));
    for (std::int64_t fd = 200; fd < 20'000; ++fd)
        state.add_fd(10, fd, named("/file"));
    CHECK(state.find(10)->process->fds->size() == 4096);
    CHECK(state.counters().refused_fds == 20'000 - 4096);
    for (std::int64_t fd = 0; fd < 200; ++fd)
        CHECK(state.find(10)->fd(fd) != nullptr);
    CHECK(state.find(10)->fd(19'999) != nullptr);
}

TEST_CASE("the state keeps to its budget and gives up what idle processes have") {
    constexpr std::size_t kBudget = std::size_t{4} * 1024 * 1024;
    const std::size_t others = state::StateTracker::memory();
    state::StateTracker state;
    state.set_memory_limit(others + kBudget);
    const std::string long_name(3800, 'x');
    for (std::int64_t pid = 10; pid < 30; ++pid) {
        state.add(process(pid));
        for (std::int64_t fd = 0; fd < 400; ++fd)
            open(state, pid, fd, "/" + std::to_string(pid * 1000 + fd) + long_name);
    }
    CHECK(state::StateTracker::memory() <= others + kBudget + kBudget / 4);
    CHECK(state.counters().forgotten_tables > 0);
    CHECK(state.find(29)->fd(399) != nullptr); // the newest file of the process in use
}

TEST_CASE("memory for many threads and files") {
    // A tenth of 100,000 threads and 1,000,000 files in 200 MiB.
    constexpr std::size_t kLimit = std::size_t{20} * 1024 * 1024;
    const std::size_t before = state::StateTracker::memory();
    {
        state::StateTracker state;
        for (std::int64_t pid = 1; pid <= 10'000; ++pid) {
            state.add(process(pid));
            for (std::int64_t fd = 0; fd < 10; ++fd)
                open(state, pid, fd, "/srv/data/" + std::to_string((pid * 10 + fd) % 1000));
        }
        CHECK(state.thread_count() == 10'000);
        const std::size_t used = state::StateTracker::memory() - before;
        MESSAGE("bytes: ", used);
        CHECK(used < kLimit);
    }
    CHECK(state::StateTracker::memory() == before);
}

TEST_CASE("what only some descriptors have costs the others no memory") {
    const auto cost = [](const state::Fd& fd) {
        const std::size_t before = state::StateTracker::memory();
        const state::SharedFd shared(fd, 0);
        return state::StateTracker::memory() - before;
    };
    state::Fd file = named("/etc/hosts");
    file.set(state::Fd::whole_path);
    CHECK(cost(file) <= 64);
    file.others.edit().origin = state::Text("/srv/hosts");
    CHECK(cost(file) <= 96);
    state::Fd socket = named("socket", state::FdKind::ipv6);
    socket.ends.edit().dest_port = 443;
    CHECK(cost(socket) <= 112);
    const state::Fd copy = socket;
    socket.ends.edit().dest_port = 80;
    CHECK(copy.ends->dest_port == 443);
}

TEST_CASE(
    "a file's path as the process gave it stays known when the kernel's path becomes its name") {
    state::StateTracker state;
    state.add(process(10));
    const auto open_real = [&](std::int64_t fd, std::string_view name, std::string_view real) {
        EventBuilder event(event::SYSCALL_OPEN_X);
        event.tid(10).i64(fd).text(name).u32(1).u32(0).u32(0).u64(0).text(real).none();
        state.apply(event.view(), 0);
        return state.find(10)->fd(fd);
    };
    CHECK(open_real(3, "/lib/x", "/usr/lib/x")->raw_name() == "/lib/x");
    CHECK(open_real(4, "/usr/lib/x", "/usr/lib/x")->raw_name() == "/usr/lib/x");
    CHECK(open_real(5, "/usr//lib/x", "/usr/lib/x")->raw_name() == "/usr//lib/x");
    CHECK(open_real(5, "/usr//lib/x", "/usr/lib/x")->others->given.empty());
    CHECK(open_real(6, "x", "/usr/lib/x")->raw_name() == "x");
    CHECK(named("/x").raw_name().empty());
}

#ifndef __SANITIZE_ADDRESS__ // which keeps freed memory
TEST_CASE("the system gets its memory back when many processes have ended") {
    const auto resident = [] { // KiB
        long pages = 0, kept = 0;
        std::ifstream("/proc/self/statm") >> pages >> kept;
        return kept * sysconf(_SC_PAGESIZE) / 1024;
    };
    constexpr std::int64_t kProcesses = 10'000;
    state::StateTracker state;
    state.add(process(1));
    malloc_trim(0); // what earlier tests left
    const long before = resident();
    for (std::int64_t pid = 2; pid < kProcesses; ++pid) {
        fork(state, 1, pid);
        for (std::int64_t fd = 0; fd < 10; ++fd)
            open(state, pid, fd, "/srv/data/" + std::to_string(pid * 10 + fd));
    }
    const long full = resident();
    for (std::int64_t pid = 2; pid < kProcesses; ++pid) {
        EventBuilder exit(event::PROCEXIT_1_E);
        exit.tid(static_cast<std::uint64_t>(pid)).i64(0).i64(0).u8(0).u8(0);
        state.apply(exit.view(), 0);
    }
    state.settle();
    MESSAGE("resident KiB: ", before, ", ", full, ", ", resident());
    CHECK(state.thread_count() == 1);
    CHECK(full - before > 16 * 1024);
    CHECK(resident() - before < 1024);
}
#endif

TEST_CASE("ids that collide in one hash cost no more than others") {
    // These collided in the multiplicative hash that the map had before it got a seed.
    constexpr std::uint64_t kInverse = 0xf1de83e19937733dULL; // of 0x9e3779b97f4a7c15 modulo 2^64
    static_assert(kInverse * 0x9e3779b97f4a7c15ULL == 1);
    state::FlatMap<int> map;
    const auto begin = std::chrono::steady_clock::now();
    for (std::uint64_t high = 1; high <= 120'000; ++high)
        map[static_cast<std::int64_t>(((high << 44) | (5ULL << 24)) * kInverse)] = 1;
    const auto took = std::chrono::steady_clock::now() - begin;
    CHECK(map.size() == 120'000);
    CHECK(took < std::chrono::seconds(5));
}

TEST_CASE("a map that has become empty gives its memory back") {
    const std::size_t before = state::StateTracker::memory();
    state::FlatMap<int> map;
    for (std::int64_t key = 0; key < 100'000; ++key)
        map[key] = 1;
    for (std::int64_t key = 0; key < 100'000; ++key)
        CHECK(map.erase(key));
    CHECK(state::StateTracker::memory() - before < 1024);
}
