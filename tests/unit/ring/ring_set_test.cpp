// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "analyzer/ring/bpf_ring.h"
#include "analyzer/ring/ring_set.h"
#include "tests/unit/ring/synthetic.h"

using namespace tiercel;
using ring::RingEvent;
using ring::RingSet;
using test::close_record;
using test::SyntheticRing;
using test::text;

namespace {

constexpr std::size_t kSize = 64 << 10;

struct Rings {
    std::vector<SyntheticRing> sources;
    RingSet set;

    explicit Rings(std::size_t count) {
        std::vector<os::UniqueFd> fds;
        for (std::size_t i = 0; i < count; ++i) {
            sources.emplace_back(kSize);
            fds.push_back(sources.back().duplicate());
        }
        auto mapped = RingSet::map<ring::BpfRing>(fds, kSize);
        REQUIRE(mapped.has_value());
        set = *std::move(mapped);
    }
    SyntheticRing& operator[](std::size_t ring) { return sources[ring]; }

    // (time, cpu, fd) of each event of one batch.
    std::vector<std::string> batch(std::size_t most = 1000) {
        std::vector<std::string> seen;
        const std::size_t given = set.batch([&](const RingEvent& got) {
            seen.push_back(std::to_string(got.view.ts()) + "/" + std::to_string(got.cpu) + "/" +
                           std::to_string(*got.view.number<std::int64_t>(1)));
            return seen.size() < most;
        });
        CHECK(given == seen.size());
        return seen;
    }
};

using Seen = std::vector<std::string>;

} // namespace

TEST_CASE("events of several rings come in the order of their times") {
    Rings rings(3);
    rings[0].produce(close_record(10, 0, 1));
    rings[0].produce(close_record(40, 1, 2));
    rings[0].produce(close_record(50, 0, 3));
    rings[2].produce(close_record(20, 4, 4));
    rings[2].produce(close_record(30, 5, 5));
    rings[2].produce(close_record(60, 5, 6));
    CHECK(rings.batch() == Seen{"10/0/1", "20/4/4", "30/5/5", "40/1/2", "50/0/3", "60/5/6"});
    CHECK(rings.set.late() == 0);
    CHECK(rings.batch().empty());
    CHECK(rings[0].consumer() == rings[0].producer());
    CHECK(rings[2].consumer() == rings[2].producer());
}

TEST_CASE("the times of waiting events are read without taking the events") {
    Rings rings(2);
    rings[0].produce(close_record(10, 0, 1));
    rings[0].produce(text("junk"));
    rings[0].produce(close_record(40, 0, 2));
    rings[1].produce(close_record(20, 0, 3));
    std::vector<os::UniqueFd> fds;
    for (std::size_t i : {0, 1})
        fds.push_back(rings[i].duplicate());
    auto other = RingSet::map<ring::BpfRing>(fds, kSize);
    REQUIRE(other.has_value());
    CHECK(other->pass_times() == std::vector<std::uint64_t>{10, 40, 20});
    CHECK(other->pass_times().empty());
    CHECK(rings[0].consumer() == 0);
    CHECK(rings.batch() == Seen{"10/0/1", "20/0/3", "40/0/2"});
}

TEST_CASE("merging agrees with sorting, whatever the interleaving") {
    Rings rings(4);
    std::uint64_t random = 12345;
    for (int round = 0; round < 50; ++round) {
        Seen want;
        for (std::uint64_t ts = 1000; ts < 1100; ++ts) {
            random = random * 6364136223846793005ULL + 1442695040888963407ULL;
            const auto cpu = static_cast<std::uint16_t>(random >> 62);
            rings[cpu].produce(close_record(static_cast<std::uint64_t>(round) * 1000 + ts, cpu, 7));
            want.push_back(std::to_string(static_cast<std::uint64_t>(round) * 1000 + ts) + "/" +
                           std::to_string(cpu) + "/7");
        }
        REQUIRE(rings.batch() == want);
    }
    CHECK(rings.set.late() == 0);
}

TEST_CASE("an empty or unfinished ring does not stall the others, and what came late is counted") {
    Rings rings(2);
    const auto busy = rings[0].produce(close_record(10, 0, 1), SyntheticRing::kBusy);
    rings[1].produce(close_record(20, 1, 2));
    CHECK(rings.batch() == Seen{"20/1/2"});
    CHECK(rings.set.late() == 0);
    rings[0].set_header(busy, static_cast<std::uint32_t>(close_record(10, 0, 1).size()));
    CHECK(rings.batch() == Seen{"10/0/1"});
    CHECK(rings.set.late() == 1);
}

TEST_CASE("what is produced during a batch belongs to the next") {
    Rings rings(2);
    rings[0].produce(close_record(10, 0, 1));
    int given = 0;
    rings.set.batch([&](const RingEvent&) {
        if (++given < 5)
            rings[1].produce(close_record(11, 1, 2));
        return true;
    });
    CHECK(given == 1);
    CHECK(rings.batch() == Seen{"11/1/2"});
}

TEST_CASE("a batch stops when it is told to, after the event that was given") {
    Rings rings(2);
    for (std::uint64_t ts = 1; ts <= 6; ++ts)
        rings[ts % 2].produce(close_record(ts, 0, 0));
    CHECK(rings.batch(3) == Seen{"1/0/0", "2/0/0", "3/0/0"});
    CHECK(rings.batch() == Seen{"4/0/0", "5/0/0", "6/0/0"});
}

TEST_CASE("records that are no events are counted and passed over") {
    Rings rings(1);
    rings[0].produce(text("short"));
    rings[0].produce(close_record(10, 0, 1));
    auto unknown = close_record(11, 0, 2);
    unknown[20] = unknown[21] = std::byte{0xff}; // event code
    rings[0].produce(unknown);
    auto longer = close_record(12, 0, 3);
    longer.push_back(std::byte{0}); // bytes that belong to nothing
    rings[0].produce(longer);
    rings[0].produce(close_record(13, 0, 4));
    CHECK(rings.batch() == Seen{"10/0/1", "13/0/4"});
    CHECK(rings.set.unparsed() == 3);
}

TEST_CASE("a long batch gives room back while it runs") {
    Rings rings(1);
    const auto record = close_record(1, 0, 0);
    while (rings[0].producer() + 2 * record.size() < kSize)
        rings[0].produce(record);
    std::uint64_t seen_released = 0;
    rings.set.batch([&](const RingEvent&) {
        seen_released = rings[0].consumer();
        return true;
    });
    CHECK(seen_released > kSize / 2);
    CHECK(rings.set.fullest() == rings[0].producer());
    CHECK(rings.set.of(0).most == rings[0].producer());
}
