// SPDX-License-Identifier: Apache-2.0
//
// What is written is what is read: events byte for byte, and all of the state that the format
// carries.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "analyzer/capture/own_params.h"
#include "analyzer/capture/reader.h"
#include "analyzer/capture/writer.h"
#include "shared/event/params.h"
#include "tests/unit/capture/capture_builder.h"
#include "tests/unit/capture/sample.h"
#include "tests/unit/capture/state_text.h"

using namespace tiercel;
using namespace std::literals;
using state::Fd;
using state::FdKind;
using state::Thread;
using test::EventBuilder;

namespace {

state::StateTracker full_state() {
    state::StateTracker engine;
    test::fill_sample_state(engine);
    return engine;
}

struct Written {
    os::UniqueFd file = test::file_of("");
    capture::Writer writer;
    explicit Written(capture::Packing packing) : writer(file.get(), packing) {}
    os::UniqueFd rewound() {
        REQUIRE(writer.finish());
        lseek(file.get(), 0, SEEK_SET);
        return std::move(file);
    }
};

} // namespace

TEST_CASE("the state comes back as it was, packed or not") {
    const state::StateTracker engine = full_state();
    for (const auto packing : {capture::Packing::plain, capture::Packing::gzip}) {
        Written written(packing);
        REQUIRE(written.writer.begin(test::sample_machine(), engine));
        EventBuilder close(event::SYSCALL_CLOSE_X);
        REQUIRE(written.writer.add(close.tid(1).i64(0).i64(9).view(), 1));
        state::StateTracker again;
        capture::Reader reader(written.rewound(), again);
        REQUIRE(reader.next());
        CHECK_FALSE(reader.next());
        CHECK(reader.error().empty());
        CHECK(test::text_of(again) == test::text_of(engine));
        CHECK(reader.machine().cpus == 2);
        CHECK(reader.machine().hostname == "host"sv);
        CHECK(reader.machine().boot_ns == 12345);
        REQUIRE(reader.machine().interfaces.size() == 2);
        CHECK(reader.machine().interfaces[0].name == "lo");
        CHECK(reader.machine().interfaces[0].address == test::sample_address({127, 0, 0, 1}));
        CHECK(reader.machine().interfaces[1].name == "eth0");
        CHECK(reader.machine().interfaces[1].address == test::sample_address({0xfe, 0x80}));
    }
}

// Events beyond the schema come back as the generic event of their system call, at the same time
// and of the same thread, because other readers know no more of them.
TEST_CASE("every kind of event that drivers give comes back byte for byte") {
    for (const auto packing : {capture::Packing::plain, capture::Packing::gzip}) {
        Written written(packing);
        REQUIRE(written.writer.begin(test::sample_machine(), full_state()));
        std::vector<std::vector<std::byte>> raws;
        for (const event::EventInfo* info : test::ring_events()) {
            EventBuilder builder = test::sample_event(*info, 1000u + info->code);
            raws.push_back(builder.raw());
            REQUIRE(written.writer.add(builder.view(), info->code % 7));
        }
        REQUIRE(raws.size() > 150);
        state::StateTracker again;
        capture::Reader reader(written.rewound(), again);
        for (const auto& raw : raws) {
            const auto event = reader.next();
            REQUIRE(event);
            const auto written_event = event::EventView::parse(raw);
            REQUIRE(written_event);
            CHECK(event->cpu == written_event->code() % 7);
            if (written_event->code() < event::kFirstOwnCode) {
                CHECK(std::ranges::equal(event->view.bytes(), raw));
                continue;
            }
            CHECK(event->view.code() == event::GENERIC_X);
            CHECK(event->view.ts() == written_event->ts());
            CHECK(event->view.tid() == written_event->tid());
            const auto* call = event::find_syscall(written_event->info().name);
            REQUIRE(call != nullptr);
            CHECK(event->view.number<std::uint16_t>(event::param::GENERIC_X::nativeID) ==
                  event::native_number(*call));
        }
        CHECK_FALSE(reader.next());
        CHECK(reader.error().empty());
        CHECK(reader.skipped() == 0);
    }
}

TEST_CASE(
    "parameters that other readers lack stand behind the event, where damage costs them only") {
    EventBuilder open(event::SYSCALL_OPENAT_2_X);
    open.i64(3).i64(event::kAtFdcwd).text("a").u32(1).u32(0).u32(5).u64(7).text("/etc/a").none();
    std::vector<std::byte> block;
    capture::append_event(block, open.view(), 0);
    constexpr std::size_t kEvent = 2 * sizeof(std::uint32_t) + sizeof(std::uint16_t);
    const auto others = event::EventView::parse(event::Bytes(block).subspan(kEvent));
    REQUIRE(others);
    CHECK(others->nparams() == others->info().schema_params());
    CHECK(others->text(event::param::SYSCALL_OPENAT_2_X::name) == "a");
    const auto real_path = [](std::vector<std::byte> bytes) {
        capture::join_split(bytes, 0);
        const auto event = event::EventView::parse(bytes);
        REQUIRE(event);
        return std::string(event->text(event::param::SYSCALL_OPENAT_2_X::realpath));
    };
    const std::vector<std::byte> inside(block.begin() + kEvent, block.end());
    CHECK(real_path(inside) == "/etc/a");
    for (std::size_t at = others->size(); at < inside.size(); ++at) {
        std::vector<std::byte> damaged = inside;
        damaged[at] ^= std::byte{0xff};
        real_path(damaged);
        real_path({inside.begin(), inside.begin() + static_cast<std::ptrdiff_t>(at)});
    }
}

TEST_CASE("a call that readers of 2022 have no name for is unknown to them, and known to ours") {
    Written written(capture::Packing::plain);
    REQUIRE(written.writer.begin(test::sample_machine(), full_state()));
    const auto native = [](std::string_view name) {
        return static_cast<std::uint16_t>(event::native_number(*event::find_syscall(name)));
    };
    EventBuilder known(event::GENERIC_X), later(event::GENERIC_X), compat(event::GENERIC_X);
    REQUIRE(written.writer.add(
        known.u16(event::find_syscall("gettid")->scap).u16(native("gettid")).view(), 0));
    const event::SyscallInfo& rseq = *event::find_syscall("rseq");
    REQUIRE(written.writer.add(later.u16(rseq.scap).u16(native("rseq")).view(), 0));
    const auto i386 = static_cast<std::uint16_t>(rseq.i386); // as a 32-bit program's call says
    REQUIRE(written.writer.add(compat.u16(rseq.scap).u16(i386).view(), 0));
    state::StateTracker again;
    capture::Reader reader(written.rewound(), again);
    const auto first = reader.next();
    CHECK(first->view.number<std::uint16_t>(0) == event::find_syscall("gettid")->scap);
    for (int i = 0; i < 2; ++i) {
        const auto event = reader.next();
        REQUIRE(event);
        CHECK(event->view.number<std::uint16_t>(0) == rseq.scap);
        CHECK(event->view.number<std::uint16_t>(1) == native("rseq"));
    }
}

TEST_CASE("a call that no table knows comes back as itself, and as no other call") {
    constexpr std::uint16_t kUnknownId = 0x3fff, kNumberOfWrite = 1;
    Written written(capture::Packing::plain);
    REQUIRE(written.writer.begin(test::sample_machine(), full_state()));
    EventBuilder event(event::GENERIC_X);
    std::vector<std::byte> kept;
    capture::append_event(kept, event.u16(kUnknownId).u16(kNumberOfWrite).view(), 0);
    REQUIRE(written.writer.add_blocks(kept));
    state::StateTracker again;
    capture::Reader reader(written.rewound(), again);
    const auto read = reader.next();
    REQUIRE(read);
    CHECK(read->view.number<std::uint16_t>(0) == kUnknownId);
    CHECK(read->view.number<std::uint16_t>(1) != kNumberOfWrite);
}

TEST_CASE("the largest event that a ring can hold") {
    Written written(capture::Packing::plain);
    REQUIRE(written.writer.begin(test::sample_machine(), full_state()));
    for (const std::size_t size : {65'300u, 65'477u, 65'478u, 65'535u}) {
        EventBuilder read(event::SYSCALL_READ_X);
        REQUIRE(written.writer.add(read.i64(1).bytes(std::string(size, 'x')).view(), 0));
    }
    state::StateTracker again;
    capture::Reader reader(written.rewound(), again);
    for (const std::size_t size : {65'300u, 65'477u, 65'478u, 65'535u})
        CHECK(reader.next()->view.param(1).size() == size);
}

TEST_CASE("texts are cut to what others have room for") {
    state::StateTracker engine;
    Thread long_one = test::sample_thread(1, 1);
    long_one.exepath = state::Text(std::string(5000, 'p'));
    long_one.process->env = state::Text(std::string(9000, 'e'));
    engine.add(std::move(long_one));
    engine.link();
    Written written(capture::Packing::plain);
    REQUIRE(written.writer.begin(test::sample_machine(), engine));
    REQUIRE(written.writer.add(EventBuilder(event::SYSCALL_CLOSE_X).view(), 0));
    state::StateTracker again;
    capture::Reader reader(written.rewound(), again);
    REQUIRE(reader.next());
    CHECK(again.find(1)->exepath.view().size() == 1024);
    CHECK(again.find(1)->process->env.view().size() == 4096);
}

TEST_CASE("a serving end keeps its name when its listening socket has gone") {
    state::StateTracker engine;
    engine.add(test::sample_thread(1, 1));
    engine.link();
    engine.add_fd(1, 3, test::sample_connection(FdKind::ipv4, Fd::server));
    Written written(capture::Packing::plain);
    REQUIRE(written.writer.begin(test::sample_machine(), engine));
    REQUIRE(written.writer.add(EventBuilder(event::SYSCALL_CLOSE_X).view(), 0));
    state::StateTracker again;
    capture::Reader reader(written.rewound(), again);
    REQUIRE(reader.next());
    CHECK(again.find(1)->fd(3)->name.view() == "10.0.0.2:5555->127.0.0.1:80");
}

TEST_CASE("long lists are split into blocks") {
    state::StateTracker engine;
    for (std::int64_t pid = 1; pid <= 3000; ++pid) {
        Thread each = test::sample_thread(pid, pid);
        each.process->env = state::Text(std::string(1000, 'e'));
        engine.add(std::move(each));
    }
    engine.link();
    std::vector<std::byte> head;
    capture::append_head(head, test::sample_machine(), engine);
    std::size_t lists = 0, largest = 0;
    for (std::size_t at = 0; at < head.size();) {
        std::uint32_t header[2];
        std::memcpy(header, head.data() + at, sizeof header);
        lists += header[0] == capture::PROCESS_LIST_V9 ? 1 : 0;
        largest = std::max<std::size_t>(largest, header[1]);
        at += header[1];
    }
    CHECK(lists > 2);
    CHECK(largest < 2 << 20);
}

TEST_CASE("a full disk is an error, once and for all") {
    const os::UniqueFd full(open("/dev/full", O_WRONLY | O_CLOEXEC));
    REQUIRE(full.valid());
    capture::Writer writer(full.get(), capture::Packing::plain);
    REQUIRE(writer.begin(test::sample_machine(), full_state()));
    const auto flushed = writer.flush();
    REQUIRE_FALSE(flushed);
    CHECK(flushed.error().number == ENOSPC);
    CHECK_FALSE(writer.add(EventBuilder(event::SYSCALL_CLOSE_X).view(), 0));
}
