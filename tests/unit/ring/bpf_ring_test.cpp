// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "analyzer/ring/bpf_ring.h"
#include "tests/unit/ring/synthetic.h"

using namespace tiercel;
using ring::BpfRing;
using test::SyntheticRing;
using test::text;

namespace {

constexpr std::size_t kSize = 64 << 10;

BpfRing open_ring(const SyntheticRing& source) {
    auto mapped = BpfRing::map(source.fd(), source.size());
    REQUIRE(mapped.has_value());
    return *std::move(mapped);
}

std::string front_text(BpfRing& ring) {
    const auto record = ring.front();
    if (!record)
        return "(none)";
    return {reinterpret_cast<const char*>(record->data()), record->size()};
}

// Every record below a fresh snapshot, each popped.
std::vector<std::string> drain(BpfRing& ring) {
    std::vector<std::string> all;
    for (ring.snapshot(); ring.front(); ring.pop())
        all.push_back(front_text(ring));
    return all;
}

} // namespace

TEST_CASE("records come whole, in order, and below the snapshot only") {
    SyntheticRing source(kSize);
    BpfRing ring = open_ring(source);
    source.produce(text("one"));
    source.produce(text("eight..8"));
    ring.snapshot();
    source.produce(text("later"));
    CHECK(front_text(ring) == "one");
    CHECK(front_text(ring) == "one"); // looking does not consume
    ring.pop();
    CHECK(front_text(ring) == "eight..8");
    ring.pop();
    CHECK_FALSE(ring.front());
    CHECK(drain(ring) == std::vector<std::string>{"later"});
}

TEST_CASE("room is given back by release() and not before") {
    SyntheticRing source(kSize);
    BpfRing ring = open_ring(source);
    source.produce(text("abc"));
    CHECK(drain(ring).size() == 1);
    CHECK(source.consumer() == 0);
    CHECK(ring.unreleased() == 16);
    ring.release();
    CHECK(source.consumer() == 16);
    CHECK(ring.unreleased() == 0);
}

TEST_CASE("a record that is being written holds up what is behind it") {
    SyntheticRing source(kSize);
    BpfRing ring = open_ring(source);
    source.produce(text("first"));
    const auto busy = source.produce(text("second"), SyntheticRing::kBusy);
    source.produce(text("third"));
    CHECK(drain(ring) == std::vector<std::string>{"first"});
    ring.release();
    CHECK(source.consumer() == busy);
    source.set_header(busy, 6);
    CHECK(drain(ring) == std::vector<std::string>{"second", "third"});
    CHECK(ring.damaged() == 0);
}

TEST_CASE("a discarded record is passed over and counted") {
    SyntheticRing source(kSize);
    BpfRing ring = open_ring(source);
    source.produce(text("gone"), SyntheticRing::kDiscard);
    source.produce(text("kept"));
    source.produce(text("gone"), SyntheticRing::kDiscard);
    CHECK(drain(ring) == std::vector<std::string>{"kept"});
    CHECK(ring.discarded() == 2);
    ring.release();
    CHECK(source.consumer() == source.producer());
}

TEST_CASE("records that wrap are read in one piece, round after round") {
    SyntheticRing source(kSize);
    BpfRing ring = open_ring(source);
    std::string want(1000, 'x');
    for (int i = 0; i < 1000; ++i) { // 15 times round, at changing offsets
        want[static_cast<std::size_t>(i)] = 'y';
        want.resize(1000 - static_cast<std::size_t>(i % 3));
        source.produce(text(want));
        const auto got = drain(ring);
        REQUIRE(got.size() == 1);
        REQUIRE(got[0] == want);
        want.resize(1000, 'z');
        ring.release();
    }
    CHECK(source.consumer() == source.producer());
    CHECK(source.consumer() > 15 * kSize);
}

TEST_CASE("positions beyond 32 bits and at the end of 64 are only offsets") {
    for (const std::uint64_t start : {0xffff'fff8ULL, ~0ULL - 15}) {
        CAPTURE(start);
        SyntheticRing source(kSize, start);
        BpfRing ring = open_ring(source);
        source.produce(text("across the edge"));
        source.produce(text("and on"));
        CHECK(drain(ring) == std::vector<std::string>{"across the edge", "and on"});
        CHECK(ring.damaged() == 0);
    }
}

TEST_CASE("a length that cannot be ends the stretch, is counted, and reading goes on after it") {
    for (const std::uint32_t garbage : {0x3fff'ffffU, 17U, 65536U}) {
        CAPTURE(garbage);
        SyntheticRing source(kSize);
        BpfRing ring = open_ring(source);
        source.produce(text("good"));
        const auto bad = source.produce(text("bad"));
        source.set_header(bad, garbage); // beyond the producer in every case
        CHECK(drain(ring) == std::vector<std::string>{"good"});
        CHECK(ring.damaged() == 1);
        CHECK(ring.damaged_bytes() == 16);
        source.produce(text("after"));
        CHECK(drain(ring) == std::vector<std::string>{"after"});
        ring.release();
        CHECK(source.consumer() == source.producer());
    }
}

TEST_CASE("a producer position that cannot be is damage, and not a read beyond the mapping") {
    SyntheticRing source(kSize);
    BpfRing ring = open_ring(source);
    source.set_producer(kSize * 1000 + 3);
    CHECK(drain(ring).empty());
    CHECK(ring.damaged() == 1);
    source.set_producer(kSize); // and back
    CHECK(drain(ring).empty());
    CHECK(ring.damaged() == 2);
}

TEST_CASE("a full ring of the longest records is read without leaving the mapping") {
    SyntheticRing source(1 << 20, (1 << 20) - 64); // the first record wraps
    BpfRing ring = open_ring(source);
    const std::string longest(65537, 'L');
    int produced = 0;
    while (source.producer() - source.consumer() + 65552 <= source.size()) {
        source.produce(text(longest));
        ++produced;
    }
    CHECK(produced == 15);
    const auto got = drain(ring);
    CHECK(got.size() == 15);
    for (const std::string& record : got)
        CHECK(record == longest);
}

TEST_CASE("a record that wraps and is longer than the overlap is refused") {
    SyntheticRing source(1 << 20, (1 << 20) - 64);
    BpfRing ring = open_ring(source);
    source.produce(text(std::string(200 << 10, 'L')));
    CHECK(drain(ring).empty());
    CHECK(ring.damaged() == 1);
}

TEST_CASE("sizes that no ring has are refused") {
    SyntheticRing source(kSize);
    for (const std::size_t size :
         {std::size_t{0}, std::size_t{100}, kSize + 4096, std::size_t{2048}}) {
        const auto mapped = BpfRing::map(source.fd(), size);
        REQUIRE_FALSE(mapped.has_value());
        CHECK(mapped.error().number == EINVAL);
    }
}
