// SPDX-License-Identifier: Apache-2.0
//
// Captures good, cut and damaged.
#include <doctest/doctest.h>
#include <zlib.h>

#include <random>

#include "analyzer/capture/reader.h"
#include "tests/unit/capture/capture_builder.h"

using namespace tiercel;
using namespace std::literals;
using test::CaptureBuilder;
using test::EventBuilder;

namespace {

CaptureBuilder with_events(int count) {
    CaptureBuilder capture;
    for (int i = 0; i < count; ++i)
        capture.event(EventBuilder(event::SYSCALL_CLOSE_X)
                          .tid(7)
                          .ts(100u + static_cast<unsigned>(i))
                          .i64(0)
                          .i64(i));
    return capture;
}

struct Result {
    std::uint64_t events = 0;
    std::uint64_t last_num = 0;
    std::string error;
};
Result read_all(std::string_view content) {
    state::StateTracker engine;
    capture::Reader reader(test::file_of(content), engine);
    Result result;
    while (const auto event = reader.next()) {
        engine.apply(event->view, event->cpu);
        ++result.events;
        result.last_num = event->num;
    }
    result.error = reader.error();
    return result;
}

std::string gzip(std::string_view content) {
    std::string out(compressBound(content.size()) + 64, '\0');
    z_stream zlib{};
    deflateInit2(&zlib, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
    zlib.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
    zlib.avail_in = static_cast<uInt>(content.size());
    zlib.next_out = reinterpret_cast<Bytef*>(out.data());
    zlib.avail_out = static_cast<uInt>(out.size());
    deflate(&zlib, Z_FINISH);
    out.resize(zlib.total_out);
    deflateEnd(&zlib);
    return out;
}

} // namespace

TEST_CASE("a plain capture, a packed one, and two packed ones joined") {
    const CaptureBuilder capture = with_events(5);
    CHECK(read_all(capture.bytes()).events == 5);
    CHECK(read_all(capture.bytes()).error.empty());
    CHECK(read_all(gzip(capture.bytes())).events == 5);
    const Result joined = read_all(gzip(capture.bytes()) + gzip(with_events(3).bytes()));
    CHECK(joined.events == 8);
    CHECK(joined.error.empty());
}

TEST_CASE("a capture from a pipe") {
    const CaptureBuilder capture = with_events(100);
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    REQUIRE(write(ends[1], capture.bytes().data(), capture.bytes().size()) ==
            static_cast<ssize_t>(capture.bytes().size()));
    close(ends[1]);
    state::StateTracker engine;
    capture::Reader reader(os::UniqueFd(ends[0]), engine);
    int count = 0;
    while (reader.next())
        ++count;
    CHECK(count == 100);
}

TEST_CASE("wherever a capture is cut, the events before are given and one error tells where") {
    const CaptureBuilder capture = with_events(4);
    const std::size_t block = (capture.bytes().size() - 28) / 4;
    for (std::size_t size = 1; size < capture.bytes().size(); ++size) {
        CAPTURE(size);
        const Result result = read_all(std::string_view(capture.bytes()).substr(0, size));
        const std::size_t whole = size < 28 ? 0 : (size - 28) / block;
        const bool at_boundary = size >= 28 && (size - 28) % block == 0;
        REQUIRE(result.events == whole);
        REQUIRE(result.error.empty() == at_boundary);
        if (!at_boundary)
            REQUIRE(result.error.find(" at byte ") != std::string::npos);
    }
}

TEST_CASE("a packed capture that is cut says so") {
    const std::string packed = gzip(with_events(2000).bytes());
    const Result result = read_all(std::string_view(packed).substr(0, packed.size() / 2));
    CHECK(result.events > 0);
    CHECK(result.events < 2000);
    CHECK(result.error.find("compressed") != std::string::npos);
}

TEST_CASE("no damage makes the reader crash or run wild") {
    using namespace std::literals;
    CaptureBuilder capture = with_events(3);
    capture.old_event(EventBuilder(event::SYSCALL_OPEN_X).tid(7).i64(3).text("/a").u32(1).u32(0));
    std::string list;
    CaptureBuilder::append(list, std::int64_t{7});
    CaptureBuilder::append(list, std::int64_t{3});
    capture.block(capture::FD_LIST, list + std::string(20, 'x'));
    std::mt19937 random(1);
    std::uint64_t errors = 0;
    for (int round = 0; round < 20'000; ++round) {
        std::string bytes = capture.bytes();
        for (unsigned i = 0; i < 1 + random() % 4; ++i)
            bytes[random() % bytes.size()] = static_cast<char>(random());
        errors += read_all(bytes).error.empty() ? 0 : 1;
    }
    CHECK(errors > 10'000); // most damage is noticed
}

TEST_CASE("what is no capture") {
    CHECK(read_all("").error.find("is empty") != std::string::npos);
    CHECK(read_all("hello, world, this is text").error.find("does not begin") != std::string::npos);
    std::string swapped = with_events(1).bytes();
    std::swap(swapped[8], swapped[11]);
    CHECK(read_all(swapped).error.find("byte order") != std::string::npos);
    std::string newer = with_events(1).bytes();
    newer[12] = 9;
    CHECK(read_all(newer).error.find("newer") != std::string::npos);
}

TEST_CASE("a block of an impossible length takes no memory") {
    std::string bytes = with_events(1).bytes();
    std::string header;
    CaptureBuilder::append(header, std::uint32_t{capture::PROCESS_LIST_V9});
    CaptureBuilder::append(header, std::uint32_t{0x07ff'fff0});
    const Result result = read_all(bytes + header + std::string(100, 'x'));
    CHECK(result.events == 1);
    CHECK(result.error.find("ends in the middle") != std::string::npos);
    CHECK(result.error.find("at byte " + std::to_string(bytes.size())) != std::string::npos);
}

TEST_CASE("events of kinds that are not known are passed over and not counted") {
    CaptureBuilder capture;
    std::string event;
    CaptureBuilder::append(event, std::uint16_t{0});
    const event::Header header{1, 2, sizeof(event::Header), 900, 0};
    event.append(reinterpret_cast<const char*>(&header), sizeof header);
    capture.block(capture::EVENTS_V2, event);
    capture.event(EventBuilder(event::SYSCALL_CLOSE_X).i64(0).i64(1));
    state::StateTracker engine;
    capture::Reader reader(test::file_of(capture.bytes()), engine);
    CHECK(reader.next()->num == 1);
    CHECK(reader.skipped() == 1);
}

TEST_CASE("blocks without the number of parameters") {
    CaptureBuilder capture;
    capture.old_event(EventBuilder(event::SYSCALL_READ_E).tid(7).i64(3).u32(100));
    capture.old_event(EventBuilder(event::SYSCALL_READ_X).tid(7).i64(5).bytes("hello"));
    state::StateTracker engine;
    capture::Reader reader(test::file_of(capture.bytes()), engine);
    const auto event = reader.next();
    REQUIRE(event);
    CHECK(event->num == 1); // the enter event is not one any more
    CHECK(event->view.nparams() == 4);
    CHECK(event->view.text(1) == "hello");
    CHECK(event->view.number<std::int64_t>(2) == 3);
    CHECK(event->view.number<std::uint32_t>(3) == 100);
}
