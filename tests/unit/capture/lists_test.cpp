// SPDX-License-Identifier: Apache-2.0
//
// The process, fd and user lists of all versions.
#include <doctest/doctest.h>

#include "analyzer/capture/lists.h"
#include "tests/unit/capture/capture_builder.h"

using namespace tiercel;
using namespace std::literals;
using test::CaptureBuilder;

namespace {

// An entry of a process list as version `version` has it; `additions`: what the ninth has besides.
std::string entry(int version, std::int64_t pid, std::string_view additions = {}) {
    std::string out;
    const auto put = [&out](auto value) { CaptureBuilder::append(out, value); };
    put(pid);
    put(pid);
    put(std::int64_t{1});
    if (version >= 6)
        put(std::int64_t{44});
    if (version >= 8)
        put(std::int64_t{45});
    CaptureBuilder::append_text(out, "comm");
    CaptureBuilder::append_text(out, "exe");
    if (version >= 7)
        CaptureBuilder::append_text(out, "/exe/path");
    CaptureBuilder::append_text(out, "-a\0-b\0"sv);
    CaptureBuilder::append_text(out, "/home");
    put(std::uint64_t{1024});
    put(std::uint32_t{0});
    put(std::uint32_t{1000});
    put(std::uint32_t{100});
    if (version >= 2) {
        put(std::uint32_t{1});
        put(std::uint32_t{2});
        put(std::uint32_t{3});
        put(std::uint64_t{4});
        put(std::uint64_t{5});
    }
    if (version >= 3)
        CaptureBuilder::append_text(out, "A=1\0"sv);
    if (version >= 4) {
        put(pid);
        put(pid);
        CaptureBuilder::append_text(out, "cpu=/x\0"sv);
    }
    if (version >= 5)
        CaptureBuilder::append_text(out, "/root");
    out += additions;
    if (version >= 9) {
        std::string sized;
        CaptureBuilder::append(sized, static_cast<std::uint32_t>(out.size() + 4));
        out = sized + out;
    }
    return out;
}

std::span<const std::byte> as_bytes(const std::string& text) {
    return std::as_bytes(std::span(text));
}

constexpr std::uint32_t kTypes[] = {0,
                                    capture::PROCESS_LIST_V1,
                                    capture::PROCESS_LIST_V2,
                                    capture::PROCESS_LIST_V3,
                                    capture::PROCESS_LIST_V4,
                                    capture::PROCESS_LIST_V5,
                                    capture::PROCESS_LIST_V6,
                                    capture::PROCESS_LIST_V7,
                                    capture::PROCESS_LIST_V8,
                                    capture::PROCESS_LIST_V9};

} // namespace

TEST_CASE("process lists of all versions") {
    for (int version = 1; version <= 9; ++version) {
        CAPTURE(version);
        state::StateTracker engine;
        const std::string block = entry(version, 10) + entry(version, 11);
        REQUIRE(capture::read_process_list(kTypes[version], as_bytes(block), engine));
        engine.link();
        CHECK(engine.thread_count() == 2);
        const state::Thread* thread = engine.find(11);
        REQUIRE(thread != nullptr);
        CHECK(thread->comm.view() == "comm");
        CHECK(thread->exepath.view() == (version >= 7 ? "/exe/path" : ""));
        CHECK(thread->cwd() == "/home/");
        CHECK(thread->uid == 1000);
        CHECK(thread->sid == (version >= 6 ? 44 : -1));
        CHECK(thread->vpid == (version >= 4 ? 11 : -1));
        CHECK(thread->process->env.view() == (version >= 3 ? "A=1\0"sv : ""sv));
        CHECK(thread->loginuid == state::kNoId);
    }
}

TEST_CASE("what was added to the ninth version, in its two layouts") {
    std::string before;
    CaptureBuilder::append(before, std::uint32_t{501}); // loginuid
    CaptureBuilder::append(before, std::uint8_t{1});    // exe_writable
    for (const std::uint64_t set : {7u, 8u, 9u})
        CaptureBuilder::append(before, set);
    std::string after;
    CaptureBuilder::append(after, std::uint64_t{123}); // start of the pid namespace
    CaptureBuilder::append(after, std::uint32_t{34816});
    after += before;
    CaptureBuilder::append(after, std::uint8_t{1}); // upper layer
    CaptureBuilder::append(after, std::uint64_t{55});

    state::StateTracker engine;
    const std::string block = entry(9, 10, before) + entry(9, 11, after);
    REQUIRE(capture::read_process_list(capture::PROCESS_LIST_V9, as_bytes(block), engine));
    CHECK(engine.find(10)->loginuid == 501);
    CHECK(engine.find(10)->cap_permitted == 8);
    CHECK(engine.find(10)->tty == 0);
    CHECK(engine.find(11)->loginuid == 501);
    CHECK(engine.find(11)->tty == 34816);
    CHECK(engine.find(11)->cap_effective == 9);
    CHECK(engine.find(11)->has(state::Thread::exe_upper_layer));
    CHECK(engine.find(11)->exe_ino == 55);
}

TEST_CASE("fds of a list, and which end of a connection serves") {
    state::StateTracker engine;
    const std::string processes = entry(9, 10);
    REQUIRE(capture::read_process_list(capture::PROCESS_LIST_V9, as_bytes(processes), engine));
    std::string list;
    const auto put = [&list](auto value) { CaptureBuilder::append(list, value); };
    const auto head = [&](std::int64_t fd, state::FdKind kind) {
        put(fd);
        put(std::uint64_t{99});
        put(static_cast<std::uint8_t>(kind));
    };
    put(std::int64_t{10});
    head(3, state::FdKind::file_with_flags);
    put(std::uint32_t{1});
    CaptureBuilder::append_text(list, "/etc/hosts");
    head(4, state::FdKind::ipv4_server);
    put(std::uint32_t{0x0100007f});
    put(std::uint16_t{80});
    put(std::uint8_t{2});
    head(5, state::FdKind::ipv4);
    put(std::uint32_t{0x0100007f}); // this end, at the port that 4 listens on
    put(std::uint32_t{0x0200000a});
    put(std::uint16_t{80});
    put(std::uint16_t{5555});
    put(std::uint8_t{2});
    head(6, state::FdKind::unix_socket);
    put(std::uint64_t{1});
    put(std::uint64_t{2});
    CaptureBuilder::append_text(list, "/run/x");
    REQUIRE(capture::read_fd_list(capture::FD_LIST, as_bytes(list), engine));
    engine.link();
    const state::Thread& thread = *engine.find(10);
    CHECK(thread.fd(3)->name.view() == "/etc/hosts");
    CHECK(thread.fd(3)->ino == 99);
    CHECK(thread.fd(4)->name.view() == "127.0.0.1:80");
    CHECK(thread.fd(5)->is(state::Fd::server));
    CHECK(thread.fd(5)->name.view() == "10.0.0.2:5555->127.0.0.1:80");
    CHECK(thread.fd(6)->name.view() == "/run/x");
}

TEST_CASE("lists that are cut are damaged, and never read beyond") {
    const std::string whole = entry(9, 10);
    for (std::size_t size = 4; size < whole.size(); ++size) {
        state::StateTracker engine;
        const std::string cut = whole.substr(0, size);
        CAPTURE(size);
        CHECK_FALSE(capture::read_process_list(capture::PROCESS_LIST_V9, as_bytes(cut), engine));
    }
}
