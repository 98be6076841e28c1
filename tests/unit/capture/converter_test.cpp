// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "analyzer/capture/converter.h"
#include "tests/unit/state/event_builder.h"

using namespace tiercel;
using test::EventBuilder;

TEST_CASE("current events pass as they are") {
    capture::Converter converter;
    EventBuilder close(event::SYSCALL_CLOSE_X);
    const auto view = close.i64(0).i64(3).view();
    const auto out = converter.convert(view);
    REQUIRE(out);
    CHECK(out->bytes().data() == view.bytes().data());
}

TEST_CASE("an old openat takes its parameters from the enter event") {
    capture::Converter converter;
    EventBuilder enter(event::SYSCALL_OPENAT_E), exit(event::SYSCALL_OPENAT_X);
    CHECK_FALSE(converter.convert(enter.tid(5).i64(-100).text("/a").u32(1).u32(0).short_view()));
    const auto out = converter.convert(exit.tid(5).ts(9).i64(3).short_view());
    REQUIRE(out);
    CHECK(out->code() == event::SYSCALL_OPENAT_2_X);
    CHECK(out->tid() == 5);
    CHECK(out->ts() == 9);
    CHECK(out->nparams() == out->info().params.size());
    CHECK(out->number<std::int64_t>(0) == 3);
    CHECK(out->number<std::int64_t>(1) == -100);
    CHECK(out->text(2) == "/a");
    CHECK(out->param(5).empty()); // dev did not exist
}

TEST_CASE("another thread's enter event, or another call's, is not used") {
    capture::Converter converter;
    EventBuilder enter(event::SYSCALL_CLOSE_E), exit(event::SYSCALL_CLOSE_X),
        read(event::SYSCALL_READ_X);
    converter.convert(enter.tid(5).i64(3).short_view());
    CHECK(converter.convert(exit.tid(6).i64(0).short_view())->param(1).empty());
    const auto out = converter.convert(read.tid(5).i64(0).bytes("x").short_view());
    CHECK(out->param(2).empty());
}

TEST_CASE("renamed and narrowed parameters") {
    capture::Converter converter;
    EventBuilder dup_enter(event::SYSCALL_DUP_E), dup(event::SYSCALL_DUP_X);
    converter.convert(dup_enter.tid(5).i64(3).short_view());
    auto out = converter.convert(dup.tid(5).i64(4).short_view());
    CHECK(out->code() == event::SYSCALL_DUP_1_X);
    CHECK(out->number<std::int64_t>(1) == 3);
    EventBuilder bpf_enter(event::SYSCALL_BPF_E), bpf(event::SYSCALL_BPF_X);
    converter.convert(bpf_enter.tid(5).i64(5).short_view());
    bpf.tid(5).bytes(std::string_view("\x07\0\0\0\0\0\0\0", 8));
    out = converter.convert(bpf.short_view());
    CHECK(out->code() == event::SYSCALL_BPF_2_X);
    CHECK(out->number<std::int64_t>(0) == 7);
    CHECK(out->number<std::uint32_t>(1) == 5);
}

TEST_CASE("numbers that consumers count on are zero, not absent") {
    capture::Converter converter;
    EventBuilder accept(event::SOCKET_ACCEPT_X);
    const auto out = converter.convert(accept.i64(4).none().u8(50).short_view());
    CHECK(out->code() == event::SOCKET_ACCEPT_5_X);
    CHECK(out->number<std::uint32_t>(3) == 0);
    CHECK(out->number<std::uint32_t>(4) == 0);
}

TEST_CASE("enter events that a process could belie later are kept as events") {
    capture::Converter converter;
    EventBuilder open(event::SYSCALL_OPEN_E), connect(event::SOCKET_CONNECT_E);
    CHECK(converter.convert(open.short_view())->nparams() == 3);
    CHECK(converter.convert(connect.i64(3).short_view())->nparams() == 2);
}

// Every old exit event is converted to its successor before it reaches the state and the fields.
TEST_CASE("no old version of a syscall's event is left") {
    for (const event::EventInfo& info : event::events()) {
        if (!info.is_exit() || (info.flags & event::OLD_VERSION) == 0 ||
            info.origin != event::Origin::SYSCALL)
            continue;
        CAPTURE(info.symbol);
        capture::Converter converter;
        EventBuilder old(info.code);
        const auto out = converter.convert(old.view());
        REQUIRE(out);
        CHECK((out->info().flags & event::OLD_VERSION) == 0);
        CHECK(out->info().emitted);
        CHECK(out->nparams() == out->info().params.size());
    }
}
