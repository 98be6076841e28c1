// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>
#include <fcntl.h>

#include <algorithm>
#include <string>
#include <thread>

#include "analyzer/ring/iterator.h"
#include "tests/unit/ring/synthetic.h"

using namespace tiercel;
using test::Buffer;
using test::close_event;

namespace {

struct Outcome {
    std::vector<std::int64_t> fds;
    ring::IteratorReader::Count count;
};

// Feeds `stream` through a pipe in pieces of `piece` bytes: a reader sees short reads.
Outcome read_in_pieces(const Buffer& stream, std::size_t piece) {
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    const os::UniqueFd in(ends[0]);
    std::thread writer([&stream, piece, out = os::UniqueFd(ends[1])] {
        for (std::size_t at = 0; at < stream.size(); at += piece)
            if (write(out.get(), stream.data() + at, std::min(piece, stream.size() - at)) < 0)
                return;
    });
    Outcome outcome;
    auto count = ring::IteratorReader().read_all(in, [&](const event::EventView& view) {
        CHECK(view.raw_tid() == ((7ULL << 32) | 8));
        outcome.fds.push_back(*view.number<std::int64_t>(1));
    });
    writer.join();
    REQUIRE(count.has_value());
    outcome.count = *count;
    return outcome;
}

void append(Buffer& stream, const Buffer& event) {
    stream.insert(stream.end(), event.begin(), event.end());
}

} // namespace

TEST_CASE("the stream is split into events however the reads fall") {
    Buffer stream;
    std::vector<std::int64_t> want;
    for (std::int64_t fd = 0; fd < 400; ++fd) {
        append(stream, close_event(1, (7ULL << 32) | 8, fd));
        want.push_back(fd);
    }
    for (const std::size_t piece :
         {std::size_t{1}, std::size_t{7}, std::size_t{46}, std::size_t{4096}}) {
        CAPTURE(piece);
        const Outcome outcome = read_in_pieces(stream, piece);
        CHECK(outcome.fds == want);
        CHECK(outcome.count.events == 400);
        CHECK(outcome.count.skipped == 0);
        CHECK(outcome.count.unframed_bytes == 0);
    }
}

// Else an old record could replace what an event that is processed between two reads has changed.
TEST_CASE("what comes between two reads comes after the events of the first") {
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    const os::UniqueFd in(ends[0]);
    os::UniqueFd out(ends[1]);
    const Buffer event = close_event(1, (7ULL << 32) | 8, 1);
    REQUIRE(write(out.get(), event.data(), event.size()) == static_cast<ssize_t>(event.size()));
    std::string order;
    const auto between = [&] {
        order += 'b';
        if (order == "eb")
            CHECK(write(out.get(), event.data(), event.size()) > 0);
        else
            out.reset();
    };
    REQUIRE(ring::IteratorReader().read_all(
        in, [&](const event::EventView&) { order += 'e'; }, between));
    CHECK(order == "ebeb");
}

TEST_CASE("an event of an unknown code is skipped by its length") {
    Buffer stream = close_event(1, (7ULL << 32) | 8, 1);
    append(stream, close_event(1, (7ULL << 32) | 8, 2));
    stream[46 + 20] = stream[46 + 21] = std::byte{0xff};
    append(stream, close_event(1, (7ULL << 32) | 8, 3));
    const Outcome outcome = read_in_pieces(stream, 10);
    CHECK(outcome.fds == std::vector<std::int64_t>{1, 3});
    CHECK(outcome.count.skipped == 1);
}

TEST_CASE("after a length that cannot be the rest is counted and not guessed at") {
    for (const std::byte garbage : {std::byte{0x00}, std::byte{0xff}}) {
        Buffer stream = close_event(1, (7ULL << 32) | 8, 1);
        append(stream, close_event(1, (7ULL << 32) | 8, 2));
        append(stream, close_event(1, (7ULL << 32) | 8, 3));
        for (std::size_t i = 16; i < 20; ++i)
            stream[46 + i] = garbage;
        const Outcome outcome = read_in_pieces(stream, 30);
        CHECK(outcome.fds == std::vector<std::int64_t>{1});
        CHECK(outcome.count.unframed_bytes == 92);
    }
}

TEST_CASE("an event that is cut short at the end is counted as lost") {
    Buffer stream = close_event(1, (7ULL << 32) | 8, 1);
    append(stream, close_event(1, (7ULL << 32) | 8, 2));
    stream.resize(stream.size() - 5);
    const Outcome outcome = read_in_pieces(stream, 1000);
    CHECK(outcome.fds == std::vector<std::int64_t>{1});
    CHECK(outcome.count.unframed_bytes == 41);
}

TEST_CASE("a read that fails is reported with the kernel's number") {
    const os::UniqueFd directory(open("/", O_RDONLY | O_DIRECTORY));
    const auto count = ring::IteratorReader().read_all(directory, [](const event::EventView&) {});
    REQUIRE_FALSE(count.has_value());
    CHECK(count.error().number == EISDIR);
}
