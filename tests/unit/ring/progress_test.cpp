// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <csignal>

#include "analyzer/ring/bpf_ring.h"
#include "analyzer/ring/progress.h"
#include "analyzer/ring/ring_set.h"
#include "tests/unit/ring/synthetic.h"

using namespace tiercel;
using ring::Progress;
using ring::RingEvent;
using ring::RingSet;
using test::close_record;
using test::SyntheticRing;

namespace {

constexpr std::size_t kSize = 64 << 10;

// A memory that several readers map, one after another.
struct Memory {
    os::UniqueFd fd{memfd_create("progress", MFD_CLOEXEC)};
    Memory() { REQUIRE(ftruncate(fd.get(), sizeof(Progress::Shared)) == 0); }
    [[nodiscard]] Progress map() const {
        auto mapped = os::Mapping::shared(fd, sizeof(Progress::Shared), 0, PROT_READ | PROT_WRITE,
                                          "a memory");
        REQUIRE(mapped.has_value());
        return Progress(*std::move(mapped));
    }
};

RingSet open_rings(const SyntheticRing& source) {
    std::vector<os::UniqueFd> fds;
    fds.push_back(source.duplicate());
    auto mapped = RingSet::map<ring::BpfRing>(fds, kSize);
    REQUIRE(mapped.has_value());
    return *std::move(mapped);
}

using Seen = std::vector<std::uint64_t>;

// The times of the events of one batch. The reader dies while it evaluates the one of `death`.
Seen read(RingSet& set, std::uint64_t death = 0) {
    Seen seen;
    struct Death {};
    try {
        set.batch([&](const RingEvent& got) {
            seen.push_back(got.view.ts());
            if (got.view.ts() == death)
                throw Death();
            return true;
        });
    } catch (const Death&) { // what a killed reader has noted stays as it is
    }
    return seen;
}

// Produces five events. Their first reader dies while it evaluates the third.
void die_at_third_of_five(SyntheticRing& source, const Memory& memory) {
    for (std::uint64_t ts = 1; ts <= 5; ++ts)
        source.produce(close_record(ts, 0, 0));
    const Progress progress = memory.map();
    CHECK_FALSE(progress.start_reader());
    RingSet set = open_rings(source);
    set.follow(&progress);
    CHECK(read(set, 3) == Seen{1, 2, 3});
}

} // namespace

TEST_CASE("the next reader goes on behind the last record that was evaluated") {
    SyntheticRing source(kSize);
    const Memory memory;
    die_at_third_of_five(source, memory);
    CHECK(source.consumer() == 0); // nothing was released
    const Progress progress = memory.map();
    RingSet set = open_rings(source);
    CHECK(set.resume(progress, false));
    CHECK_FALSE(progress.start_reader());
    CHECK(progress.unfinished() == Progress::Place{0, source.consumer()});
    set.follow(&progress);
    CHECK(read(set) == Seen{3, 4, 5});
    CHECK(progress.shared().readers == 2);
}

TEST_CASE("the event that is evaluated again is known by its place, also while nothing is noted") {
    SyntheticRing source(kSize);
    const Memory memory;
    die_at_third_of_five(source, memory);
    const Progress progress = memory.map();
    RingSet set = open_rings(source);
    CHECK(set.resume(progress, false));
    CHECK_FALSE(progress.start_reader());
    Seen again;
    set.batch([&](const RingEvent& got) {
        if (got.place == progress.unfinished())
            again.push_back(got.view.ts());
        return true;
    });
    CHECK(again == Seen{3});
}

TEST_CASE("a record that crashed its reader is passed over") {
    SyntheticRing source(kSize);
    const Memory memory;
    for (std::uint64_t ts = 1; ts <= 3; ++ts)
        source.produce(close_record(ts, 0, 0));
    const auto live_once = [&](std::uint64_t death, std::uint64_t signal) {
        Progress progress = memory.map();
        RingSet set = open_rings(source);
        CHECK(set.resume(progress, false));
        const auto place = progress.start_reader();
        const auto skipped = place ? set.skip(place, progress).size() : 0;
        set.follow(&progress);
        const Seen seen = read(set, death);
        progress.shared().signal = signal;
        return std::pair(skipped, seen);
    };
    const std::size_t record = close_record(2, 0, 0).size();
    SUBCASE("at once after a signal of a crash") {
        CHECK(live_once(2, SIGSEGV) == std::pair(std::size_t{0}, Seen{1, 2}));
        CHECK(live_once(0, 0) == std::pair(record, Seen{3}));
        CHECK(memory.map().shared().skipped == 1);
    }
    SUBCASE("at the second death if nothing tells why") {
        CHECK(live_once(2, 0) == std::pair(std::size_t{0}, Seen{1, 2}));
        CHECK(live_once(2, 0) == std::pair(std::size_t{0}, Seen{2}));
        CHECK(live_once(0, 0) == std::pair(record, Seen{3}));
    }
    SUBCASE("but not if two readers died at different records") {
        CHECK(live_once(1, 0) == std::pair(std::size_t{0}, Seen{1}));
        CHECK(live_once(2, 0) == std::pair(std::size_t{0}, Seen{1, 2}));
        CHECK(live_once(0, 0) == std::pair(std::size_t{0}, Seen{2, 3}));
    }
}

TEST_CASE("a reader that died between two records has left none unfinished") {
    const Memory memory;
    const Progress progress = memory.map();
    progress.begin(0, 40);
    CHECK(progress.current() == Progress::Place{0, 40});
    progress.shared().done[0] = 80; // the first half of end()
    CHECK_FALSE(progress.current());
}

TEST_CASE("positions of a memory that was written at random are not believed") {
    SyntheticRing source(kSize);
    const auto first = source.produce(close_record(1, 0, 0));
    source.produce(close_record(2, 0, 0));
    const Memory memory;
    Progress progress = memory.map();
    RingSet set = open_rings(source);
    progress.shared().done[0] = first + 8; // within a record
    CHECK(set.resume(progress, false));
    CHECK(read(set) == Seen{1, 2});
    progress.shared().ring_and_one = ~0ULL;
    progress.shared().suspect_ring_and_one = 4711;
    CHECK_FALSE(progress.current());
    CHECK_FALSE(progress.unfinished());
    CHECK(set.skip({4711, 0}, progress).empty());
}

TEST_CASE("a ring whose consumer's position is no border of a record is refused") {
    SyntheticRing source(kSize);
    source.produce(close_record(1, 0, 0));
    source.produce(close_record(2, 0, 0));
    const Memory memory;
    const Progress progress = memory.map();
    const auto resume_at = [&](std::uint64_t consumer) {
        source.set_consumer(consumer);
        RingSet set = open_rings(source);
        return set.resume(progress, false);
    };
    CHECK(resume_at(0));
    CHECK(resume_at(source.producer()));
    CHECK_FALSE(resume_at(8));                     // in the first record, which is no header
    CHECK_FALSE(resume_at(4));                     // no multiple of 8
    CHECK_FALSE(resume_at(source.producer() + 8)); // behind the producer
}

TEST_CASE("the kernel's rings number their pages, and another number is refused") {
    SyntheticRing source(kSize);
    source.produce(close_record(1, 0, 0));
    const Memory memory;
    const Progress progress = memory.map();
    RingSet set = open_rings(source);
    CHECK_FALSE(set.resume(progress, true)); // the synthetic ring numbers none
    source.set_page_number(0, 3);
    RingSet again = open_rings(source);
    CHECK(again.resume(progress, true));
    CHECK_FALSE(again.resume(progress, false));
}
