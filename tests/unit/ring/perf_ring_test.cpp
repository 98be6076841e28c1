// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "analyzer/ring/perf_ring.h"
#include "analyzer/ring/ring_set.h"
#include "tests/unit/ring/synthetic_perf.h"

using namespace tiercel;
using ring::PerfRing;
using test::close_record;
using test::SyntheticPerf;
using test::text;

namespace {

constexpr std::size_t kSize = 64 << 10;

PerfRing open_ring(const SyntheticPerf& source) {
    auto mapped = PerfRing::map(source.fd(), source.size());
    REQUIRE(mapped.has_value());
    return *std::move(mapped);
}

// The fd parameter of each close event below a fresh snapshot, each popped; -1: no whole event.
std::vector<std::int64_t> drain(PerfRing& ring) {
    std::vector<std::int64_t> all;
    ring.snapshot();
    for (; auto record = ring.front(); ring.pop()) {
        const auto view = event::EventView::parse(*record);
        const bool whole = view && view->size() + 2 == record->size();
        all.push_back(whole ? *view->number<std::int64_t>(1) : -1);
    }
    return all;
}

using Fds = std::vector<std::int64_t>;

} // namespace

TEST_CASE("samples come whole, in order, without their padding, and below the snapshot only") {
    SyntheticPerf source(kSize);
    PerfRing ring = open_ring(source);
    source.produce(close_record(1, 3, 10));
    ring.snapshot();
    source.produce(close_record(2, 3, 11));
    REQUIRE(ring.front().has_value());
    CHECK(ring.front()->size() == close_record(1, 3, 10).size());
    CHECK(std::equal(ring.front()->begin(), ring.front()->end(), close_record(1, 3, 10).begin()));
    ring.pop();
    CHECK_FALSE(ring.front());
    CHECK(drain(ring) == Fds{11});
    CHECK(source.consumer() == 0);
    ring.release();
    CHECK(source.consumer() == source.producer());
}

TEST_CASE("records that wrap are put together, wherever the edge falls") {
    for (std::uint64_t start = kSize - 64; start <= kSize; start += 8) {
        CAPTURE(start);
        SyntheticPerf source(kSize, start);
        PerfRing ring = open_ring(source);
        source.produce(close_record(1, 0, 20));
        source.produce_lost(2);
        source.produce(close_record(2, 0, 21));
        CHECK(drain(ring) == Fds{20, 21});
        CHECK(ring.lost() == 2);
        CHECK(ring.damaged() == 0);
    }
}

TEST_CASE("the longest records are read round after round") {
    SyntheticPerf source(128 << 10);
    PerfRing ring = open_ring(source);
    const std::string longest(65'516, 'L'); // with what is around it, 65,528 bytes
    for (int round = 0; round < 20; ++round) {
        source.produce(text(longest));
        ring.snapshot();
        const auto record = ring.front();
        REQUIRE(record.has_value());
        CHECK(record->size() == longest.size()); // no event: nothing is known to be padding
        CHECK(std::memcmp(record->data(), longest.data(), longest.size()) == 0);
        ring.pop();
        ring.release();
    }
    CHECK(source.consumer() == source.producer());
}

TEST_CASE("what the kernel lost is counted, and its other records are passed over") {
    SyntheticPerf source(kSize);
    PerfRing ring = open_ring(source);
    source.produce_lost(40);
    source.produce(PERF_RECORD_THROTTLE, test::Buffer(24));
    source.produce(PERF_RECORD_LOST, test::Buffer(8)); // too short to say how many
    source.produce_lost(2);
    source.produce(close_record(1, 0, 30));
    CHECK(drain(ring) == Fds{30});
    CHECK(ring.lost() == 42);
    CHECK(ring.discarded() == 2);
    CHECK(ring.damaged() == 0);
}

TEST_CASE("a size that cannot be ends the stretch, is counted, and reading goes on after it") {
    for (const std::size_t garbage :
         std::initializer_list<std::size_t>{0, 4, 7, 12, 63, 1000, 65528}) {
        CAPTURE(garbage);
        SyntheticPerf source(kSize);
        PerfRing ring = open_ring(source);
        source.produce(close_record(1, 0, 40));
        const auto bad = source.produce(close_record(2, 0, 41));
        source.set_header(bad, PERF_RECORD_SAMPLE, garbage);
        CHECK(drain(ring) == Fds{40});
        CHECK(ring.damaged() == 1);
        source.produce(close_record(3, 0, 42));
        CHECK(drain(ring) == Fds{42});
        ring.release();
        CHECK(source.consumer() == source.producer());
    }
}

TEST_CASE("a sample's length that does not fit its record is damage") {
    for (const std::uint32_t garbage : {0xffff'ffffU, 0x8000'0000U, 65U}) {
        CAPTURE(garbage);
        SyntheticPerf source(kSize, kSize - 32); // it wraps, too
        PerfRing ring = open_ring(source);
        source.set_length(source.produce(close_record(1, 0, 50)), garbage);
        CHECK(drain(ring).empty());
        CHECK(ring.damaged() == 1);
    }
}

TEST_CASE("an event that is longer than its sample is given as it is, to be refused") {
    SyntheticPerf source(kSize);
    PerfRing ring = open_ring(source);
    auto record = close_record(1, 0, 60);
    record[16] = std::byte{0xff}; // the event's own length
    source.produce(record);
    record[16] = std::byte{8}; // and one that is shorter by more than padding
    source.produce(record);
    CHECK(drain(ring) == Fds{-1, -1});
}

TEST_CASE("positions that cannot be are damage, and not a read beyond the mapping") {
    SyntheticPerf source(kSize);
    PerfRing ring = open_ring(source);
    source.set_producer(kSize * 1000 + 3);
    CHECK(drain(ring).empty());
    CHECK(ring.damaged() == 1);
    source.set_producer(kSize); // and back
    CHECK(drain(ring).empty());
    CHECK(ring.damaged() == 2);
}

TEST_CASE("whatever a buffer holds, reading it stays within it and comes to an end") {
    std::mt19937 random(4711);
    for (int round = 0; round < 300; ++round) {
        SyntheticPerf source(4096, random() % 4096 & ~7U);
        PerfRing ring = open_ring(source);
        while (source.producer() - source.consumer() < 4096 - 80) {
            const auto at = source.produce(close_record(1, 0, 1));
            if (random() % 4 == 0)
                source.set_header(at, random() % 16, random() % 128 * 4);
            if (random() % 4 == 0)
                source.set_length(at, random() % 128);
        }
        drain(ring);
        CHECK(ring.pending() == 0);
    }
}

TEST_CASE("a set merges perf buffers by time and gives their room back") {
    std::vector<SyntheticPerf> sources;
    std::vector<os::UniqueFd> fds;
    for (int i = 0; i < 2; ++i) {
        sources.emplace_back(kSize, kSize - 40);
        fds.push_back(sources.back().duplicate());
    }
    auto set = ring::RingSet::map<PerfRing>(fds, kSize);
    REQUIRE(set.has_value());
    sources[0].produce(close_record(10, 0, 1));
    sources[0].produce(close_record(30, 0, 3));
    sources[0].produce_lost(5);
    sources[1].produce(close_record(20, 1, 2));
    Fds seen;
    CHECK(set->batch([&](const ring::RingEvent& got) {
        CHECK(got.cpu == (*got.view.number<std::int64_t>(1) == 2));
        seen.push_back(*got.view.number<std::int64_t>(1));
        return true;
    }) == 3);
    CHECK(seen == Fds{1, 2, 3});
    CHECK(set->of(0).lost == 5);
    CHECK(set->unparsed() == 0);
    CHECK(sources[0].consumer() == sources[0].producer());
}

TEST_CASE("sizes that no perf buffer has are refused") {
    SyntheticPerf source(kSize);
    for (const std::size_t size : {std::size_t{0}, std::size_t{100}, kSize + 4096}) {
        const auto mapped = PerfRing::map(source.fd(), size);
        REQUIRE_FALSE(mapped.has_value());
        CHECK(mapped.error().number == EINVAL);
    }
}
