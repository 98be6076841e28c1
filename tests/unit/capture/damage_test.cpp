// SPDX-License-Identifier: Apache-2.0
//
// Whole captures of our own writer, lists and all, cut anywhere and damaged in each of their
// blocks: every event before the damage is given as it was, then one error tells where.
#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "analyzer/capture/reader.h"
#include "tests/unit/capture/capture_builder.h"
#include "tests/unit/capture/sample.h"

using namespace tiercel;

namespace {

// What the writer makes of the sample.
std::string sample_capture(capture::Packing packing) {
    const os::UniqueFd file = test::file_of("");
    state::StateTracker engine;
    test::fill_sample_state(engine);
    capture::Writer writer(file.get(), packing);
    REQUIRE(writer.begin(test::sample_machine(), engine));
    for (const event::EventInfo* info : test::ring_events()) {
        auto builder = test::sample_event(*info, info->code);
        REQUIRE(writer.add(builder.view(), 0));
        REQUIRE(writer.flush()); // so that a packed one can be read up to here
    }
    REQUIRE(writer.finish());
    std::string bytes(static_cast<std::size_t>(lseek(file.get(), 0, SEEK_END)), '\0');
    REQUIRE(pread(file.get(), bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
    return bytes;
}

struct Block {
    std::size_t begin, end;
    std::uint32_t type;
    bool is_event() const { return type == capture::EVENTS_V2 || type == capture::EVENTS_V2_LARGE; }
};
std::vector<Block> blocks_of(const std::string& bytes) {
    std::vector<Block> blocks;
    for (std::size_t at = 0; at < bytes.size(); at = blocks.back().end) {
        std::uint32_t header[2];
        std::memcpy(header, bytes.data() + at, sizeof header);
        blocks.push_back({at, at + header[1], header[0]});
    }
    return blocks;
}

struct Result {
    std::vector<std::string> events;
    std::string error;
};
Result read_all(std::string_view bytes) {
    state::StateTracker engine;
    capture::Reader reader(test::file_of(bytes), engine);
    Result result;
    while (const auto event = reader.next()) {
        engine.apply(event->view, event->cpu);
        const auto raw = event->view.bytes();
        result.events.emplace_back(reinterpret_cast<const char*>(raw.data()), raw.size());
    }
    result.error = reader.error();
    return result;
}

// The first `count` events of `whole`, and no others.
bool begins(const Result& whole, const Result& got, std::size_t count) {
    return got.events.size() == count &&
           std::equal(got.events.begin(), got.events.end(), whole.events.begin());
}

std::string at_byte(std::size_t offset) {
    return " at byte " + std::to_string(offset);
}

} // namespace

TEST_CASE("a capture of ours, cut at any byte") {
    const std::string bytes = sample_capture(capture::Packing::plain);
    const Result whole = read_all(bytes);
    REQUIRE(whole.error.empty());
    std::size_t events = 0;
    for (const Block& block : blocks_of(bytes)) {
        for (std::size_t cut = std::max<std::size_t>(block.begin, 1); cut < block.end; ++cut) {
            CAPTURE(cut);
            const Result got = read_all(std::string_view(bytes).substr(0, cut));
            REQUIRE(begins(whole, got, events));
            if (cut == block.begin)
                REQUIRE(got.error.empty());
            else
                REQUIRE(got.error.ends_with(at_byte(block.begin)));
        }
        events += block.is_event() ? 1 : 0;
    }
    CHECK(events == whole.events.size());
}

TEST_CASE("a packed one, cut at any byte") {
    const std::string bytes = sample_capture(capture::Packing::gzip);
    const Result whole = read_all(bytes);
    REQUIRE(whole.error.empty());
    std::size_t most = 0;
    for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
        CAPTURE(cut);
        const Result got = read_all(std::string_view(bytes).substr(0, cut));
        REQUIRE(got.events.size() >= most); // more of the file never gives less
        most = got.events.size();
        REQUIRE(begins(whole, got, most));
        REQUIRE_FALSE(got.error.empty());
        REQUIRE(got.error.find(" at byte ") != std::string::npos);
    }
    CHECK(most == whole.events.size());
}

TEST_CASE("a block whose end says another length than its beginning, whichever it is") {
    const std::string bytes = sample_capture(capture::Packing::plain);
    const Result whole = read_all(bytes);
    std::size_t events = 0;
    for (const Block& block : blocks_of(bytes)) {
        CAPTURE(block.begin);
        std::string damaged = bytes;
        damaged[block.end - 4] ^= 1;
        const Result got = read_all(damaged);
        CHECK(begins(whole, got, events));
        CHECK(got.error.find("two lengths differ") != std::string::npos);
        CHECK(got.error.ends_with(at_byte(block.begin)));
        events += block.is_event() ? 1 : 0;
    }
}

TEST_CASE("a list whose first entry reaches beyond its end, whichever it is") {
    const std::string bytes = sample_capture(capture::Packing::plain);
    std::size_t lists = 0;
    for (const Block& block : blocks_of(bytes)) {
        std::size_t entry = block.begin + 8; // where the length of the first entry stands
        switch (block.type) {
        case capture::PROCESS_LIST_V9:
        case capture::USER_LIST_V2:
        case capture::INTERFACE_LIST_V2: break;
        case capture::FD_LIST_V2: entry += 8; break; // behind the process
        default: continue;
        }
        CAPTURE(block.begin);
        ++lists;
        std::string damaged = bytes;
        damaged[entry + 2] = 0x7f;
        const Result got = read_all(damaged);
        CHECK(got.events.empty());
        CHECK(got.error.find("damaged list") != std::string::npos);
        CHECK(got.error.ends_with(at_byte(block.begin)));
    }
    CHECK(lists >= 5);
}

TEST_CASE("an event whose parameters reach beyond it, whichever it is") {
    const std::string bytes = sample_capture(capture::Packing::plain);
    const Result whole = read_all(bytes);
    std::size_t events = 0;
    for (const Block& block : blocks_of(bytes)) {
        if (!block.is_event())
            continue;
        event::Header header;
        const std::size_t at = block.begin + 10; // behind the block's header and the CPU
        std::memcpy(&header, bytes.data() + at, sizeof header);
        if (header.nparams > 0) {
            CAPTURE(block.begin);
            std::string damaged = bytes;
            damaged[at + sizeof header + 1] = 0x7f; // the first parameter's length
            const Result got = read_all(damaged);
            CHECK(begins(whole, got, events));
            CHECK(got.error.find("damaged event") != std::string::npos);
            CHECK(got.error.ends_with(at_byte(block.begin)));
        }
        ++events;
    }
}

TEST_CASE("a packed capture that grows out of proportion is refused") {
    const os::UniqueFd file = test::file_of("");
    capture::Packer packer(file.get(), capture::Packing::gzip);
    const std::string header = test::CaptureBuilder().bytes();
    const std::string zeros = test::CaptureBuilder()
                                  .block(0x9999, std::string(std::size_t{1} << 20, '\0'))
                                  .bytes()
                                  .substr(header.size());
    REQUIRE(packer.write(std::as_bytes(std::span(header))));
    for (int i = 0; i < 70; ++i)
        REQUIRE(packer.write(std::as_bytes(std::span(zeros))));
    REQUIRE(packer.finish());
    lseek(file.get(), 0, SEEK_SET);
    state::StateTracker state;
    capture::Reader reader(os::UniqueFd(dup(file.get())), state);
    CHECK_FALSE(reader.next());
    CHECK(reader.error().find("grows more than 100 times") != std::string::npos);
}
