// SPDX-License-Identifier: Apache-2.0
//
// Captures that come through a pipe, in pieces: the reader never waits for the next piece itself.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "analyzer/capture/reader.h"
#include "tests/unit/capture/capture_builder.h"
#include "tests/unit/capture/sample.h"

using namespace tiercel;

namespace {

struct Pipe {
    os::UniqueFd reads, writes;
    Pipe() {
        int ends[2] = {-1, -1};
        REQUIRE(pipe2(ends, O_CLOEXEC) == 0); // blocking: a reader that waited would hang here
        reads = os::UniqueFd(ends[0]);
        writes = os::UniqueFd(ends[1]);
    }
};

std::string capture_of(int events, capture::Packing packing) {
    const os::UniqueFd file = test::file_of("");
    state::StateTracker engine;
    test::fill_sample_state(engine);
    capture::Writer writer(file.get(), packing);
    REQUIRE(writer.begin(test::sample_machine(), engine));
    for (int i = 0; i < events; ++i)
        REQUIRE(
            writer.add(test::EventBuilder(event::SYSCALL_CLOSE_X).tid(20).i64(0).i64(i).view(), 0));
    REQUIRE(writer.finish());
    std::string bytes(static_cast<std::size_t>(lseek(file.get(), 0, SEEK_END)), '\0');
    REQUIRE(pread(file.get(), bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
    return bytes;
}

bool readable(const os::UniqueFd& fd) {
    pollfd asked{fd.get(), POLLIN, 0};
    return poll(&asked, 1, 0) == 1;
}

// Feeds `bytes` one at a time; how many events came.
int feed(std::string_view bytes) {
    Pipe pipe;
    state::StateTracker engine;
    capture::Reader reader(std::move(pipe.reads), engine);
    int events = 0;
    const auto take_all = [&] {
        while (const auto event = reader.next()) {
            CHECK(event->view.number<std::int64_t>(1) == events);
            ++events;
        }
    };
    for (const char byte : bytes) {
        take_all();
        REQUIRE(reader.waiting());
        CHECK_FALSE(readable(reader.ready()));
        REQUIRE(write(pipe.writes.get(), &byte, 1) == 1);
        CHECK(readable(reader.ready()));
    }
    take_all();
    CHECK(reader.waiting());
    pipe.writes.reset();
    take_all();
    CHECK_FALSE(reader.waiting());
    CHECK(reader.error().empty());
    return events;
}

} // namespace

TEST_CASE("a capture that comes byte by byte") {
    CHECK(feed(capture_of(20, capture::Packing::plain)) == 20);
}

TEST_CASE("a packed one") {
    CHECK(feed(capture_of(20, capture::Packing::gzip)) == 20);
}

TEST_CASE("two packed ones, the second of which comes later") {
    const std::string one = capture_of(3, capture::Packing::gzip);
    Pipe pipe;
    state::StateTracker engine;
    capture::Reader reader(std::move(pipe.reads), engine);
    int events = 0;
    for (int part = 0; part < 2; ++part) {
        REQUIRE(write(pipe.writes.get(), one.data(), one.size()) ==
                static_cast<ssize_t>(one.size()));
        while (reader.next())
            ++events;
        CHECK(reader.waiting());
    }
    pipe.writes.reset();
    CHECK_FALSE(reader.next());
    CHECK(events == 6);
    CHECK(reader.error().empty());
}

TEST_CASE("a pipe that ends in the middle") {
    const std::string bytes = capture_of(3, capture::Packing::plain);
    Pipe pipe;
    state::StateTracker engine;
    capture::Reader reader(std::move(pipe.reads), engine);
    REQUIRE(write(pipe.writes.get(), bytes.data(), bytes.size() - 5) ==
            static_cast<ssize_t>(bytes.size() - 5));
    int events = 0;
    while (reader.next())
        ++events;
    CHECK(events == 2);
    CHECK(reader.waiting());
    CHECK(reader.error().empty());
    pipe.writes.reset();
    CHECK_FALSE(reader.next());
    CHECK(reader.error().find("ends in the middle of a block") != std::string::npos);
}

TEST_CASE("files are never waited for") {
    state::StateTracker engine;
    capture::Reader reader(test::file_of(capture_of(1, capture::Packing::plain)), engine);
    CHECK_FALSE(reader.ready().valid());
    REQUIRE(reader.next());
    CHECK_FALSE(reader.next());
    CHECK_FALSE(reader.waiting());
}
