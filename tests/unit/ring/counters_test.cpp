// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mman.h>

#include <string>
#include <vector>

#include "analyzer/ring/counters.h"

using namespace tiercel;

TEST_CASE("counters are read per CPU and in total, as they change") {
    std::vector<tiercel_cpu_counters> lines(3);
    for (std::size_t cpu = 0; cpu < lines.size(); ++cpu) {
        lines[cpu].events = 100 + cpu;
        lines[cpu].drops[TIERCEL_DROP_RING_FULL] = 10 * cpu;
        lines[cpu].drops[TIERCEL_DROP_TOO_LONG] = 1;
    }
    const os::UniqueFd fd(memfd_create("counters", MFD_CLOEXEC));
    const std::size_t bytes = lines.size() * sizeof lines[0];
    REQUIRE(write(fd.get(), lines.data(), bytes) == static_cast<ssize_t>(bytes));
    const os::UniqueFd read_only(
        open(("/proc/self/fd/" + std::to_string(fd.get())).c_str(), O_RDONLY));
    auto counters = ring::Counters::map(read_only, 3);
    REQUIRE(counters.has_value());
    CHECK(counters->of(2).events == 102);
    CHECK(counters->of(2).dropped() == 21);
    CHECK(counters->of(3).events == 0);
    CHECK(counters->total().events == 303);
    CHECK(counters->total().drops[TIERCEL_DROP_RING_FULL] == 30);
    lines[0].events = 500;
    REQUIRE(pwrite(fd.get(), lines.data(), bytes, 0) == static_cast<ssize_t>(bytes));
    CHECK(counters->total().events == 703);
}

TEST_CASE("numbers of CPUs that cannot be are refused") {
    const os::UniqueFd fd(memfd_create("counters", MFD_CLOEXEC));
    CHECK_FALSE(ring::Counters::map(fd, 0).has_value());
    CHECK_FALSE(ring::Counters::map(fd, 1'000'000).has_value());
}

TEST_CASE("every reason that the probe counts has a name") {
    for (std::size_t reason = 0; reason <= TIERCEL_DROP_NO_RING; ++reason)
        CHECK_FALSE(ring::drop_name(reason).empty());
    CHECK(ring::drop_name(TIERCEL_DROP_REASONS).empty());
}
