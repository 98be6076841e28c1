// SPDX-License-Identifier: Apache-2.0
//
// Tests the kernel module against a consumer that breaks every rule. The module must be loaded, so
// the test runs in test machines (tests/vm/test-module.sh), where a crash of the kernel fails the
// test.
#include <doctest/doctest.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <csignal>
#include <memory>

#include "tests/module/device.h"

namespace tiercel::module {

namespace {

constexpr std::uint32_t kRing = 64 << 10;

// Makes events by some hundreds of system calls.
void make_events(int count = 300) {
    for (int i = 0; i < count; ++i)
        syscall(SYS_getppid);
}

int map_error(const UniqueFd& fd, std::size_t bytes, off_t offset, int protection,
              int flags = MAP_SHARED) {
    void* at = mmap(nullptr, bytes, protection, flags, fd.get(), offset);
    if (at == MAP_FAILED)
        return errno;
    munmap(at, bytes);
    return 0;
}

} // namespace

TEST_CASE("values out of range are refused") {
    const auto with = [](auto change) {
        tiercel_start request = wanting_everything();
        change(request.config);
        return Device().start(request);
    };
    CHECK(with([](tiercel_config&) {}) == 0);
    CHECK(with([](tiercel_config& c) { c.ring_bytes = 0; }) == EINVAL);
    CHECK(with([](tiercel_config& c) { c.ring_bytes = 32 << 10; }) == EINVAL);
    CHECK(with([](tiercel_config& c) { c.ring_bytes = (64 << 10) + 8; }) == EINVAL);
    CHECK(with([](tiercel_config& c) { c.ring_bytes = 1U << 31; }) == EINVAL);
    CHECK(with([](tiercel_config& c) { c.snaplen = 65001; }) == EINVAL);
    CHECK(with([](tiercel_config& c) { c.args_max = 4095; }) == EINVAL);
    CHECK(with([](tiercel_config& c) { c.args_max = 32769; }) == EINVAL);
    CHECK(with([](tiercel_config& c) { c.tracepoints = ~0U; }) == EINVAL);
    CHECK(with([](tiercel_config& c) { c.per_syscall = 1; }) == EINVAL);
    CHECK(with([](tiercel_config& c) { c.cpus_per_ring = ~0U; }) == 0);
}

TEST_CASE("a descriptor is for what it is for") {
    const Device device;
    CHECK(!device.get(TIERCEL_FD_RING).valid());
    CHECK(errno == ENODEV);
    tiercel_start request = wanting_everything();
    REQUIRE(device.start(request) == 0);
    CHECK(device.start(request) == EBUSY);
    CHECK(!device.get(TIERCEL_FD_RING, request.ring_count).valid());
    CHECK(!device.get(77).valid());
    const UniqueFd link = device.get(TIERCEL_FD_LINK);
    CHECK(link.valid());
    CHECK(!device.get(TIERCEL_FD_LINK).valid()); // attached already
    CHECK(errno == EBUSY);
    CHECK(ioctl(link.get(), TIERCEL_IOC_START, &request) < 0);
    CHECK(map_error(link, 4096, 0, PROT_READ) == ENODEV);
}

TEST_CASE("only the consumer's page can be written, and by one mapping") {
    const Device device;
    tiercel_start request = wanting_everything(kRing);
    REQUIRE(device.start(request) == 0);
    const UniqueFd fd = device.get(TIERCEL_FD_RING), counters = device.get(TIERCEL_FD_COUNTERS);
    const auto page = static_cast<std::size_t>(getpagesize());
    CHECK(map_error(fd, page, getpagesize(), PROT_READ | PROT_WRITE) == EPERM);
    CHECK(map_error(fd, 2 * page, 0, PROT_READ | PROT_WRITE) == EPERM);
    CHECK(map_error(fd, page, 0, PROT_READ | PROT_WRITE, MAP_PRIVATE) == EPERM);
    CHECK(map_error(fd, 2 * page + 2UL * kRing, 0, PROT_READ) == 0);
    CHECK(map_error(fd, 3 * page + 2UL * kRing, 0, PROT_READ) == EINVAL);
    CHECK(map_error(fd, page, 1L << 40, PROT_READ) == EINVAL);
    // counters can only be mapped read-only, even by a descriptor that is open for writing
    CHECK(map_error(counters, page, 0, PROT_READ | PROT_WRITE) != 0);
    void* data = mmap(nullptr, page, PROT_READ, MAP_SHARED, fd.get(), getpagesize());
    CHECK(mprotect(data, page, PROT_READ | PROT_WRITE) != 0);
    void* first = mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
    REQUIRE(first != MAP_FAILED);
    CHECK(map_error(fd, page, 0, PROT_READ | PROT_WRITE) == EBUSY);
    munmap(first, page);
    CHECK(map_error(fd, page, 0, PROT_READ | PROT_WRITE) == 0);
}

TEST_CASE("events come while the link is open, and no longer") {
    Consumer consumer;
    make_events();
    CHECK(consumer.events() + consumer.full() >= 300); // other processes fill the ring too
    CHECK(consumer.whole(0, consumer.produced()));
    consumer.detach();
    const std::uint64_t end = consumer.events();
    make_events();
    CHECK(consumer.events() == end);
    consumer.attach();
    make_events();
    CHECK(consumer.events() + consumer.full() >= end + 300);
}

TEST_CASE("a position that lies costs events and nothing else") {
    Consumer consumer(kRing);
    while (consumer.produced() < 2 * std::uint64_t{kRing}) {
        consumer.claim(consumer.produced());
        make_events();
    }
    const std::uint64_t at = consumer.produced();
    const std::uint64_t lies[] = {at + 1,     at + 8,         at + kRing, at + (1ULL << 40), ~0ULL,
                                  1ULL << 63, at - kRing - 8, 0 - at - 8, at ^ (1ULL << 32)};
    for (std::uint64_t lie : lies) {
        CAPTURE(lie);
        consumer.claim(lie);
        const std::uint64_t before = consumer.produced(), full = consumer.full();
        make_events();
        CHECK(consumer.produced() - before <= kRing);
        CHECK(consumer.full() > full); // the kernel takes the false position for a full ring
    }
    for (std::uint64_t odd = 1; odd < 8;
         ++odd) { // within the ring, but not at the start of a record
        consumer.claim(consumer.produced() - odd);
        const std::uint64_t before = consumer.produced();
        make_events();
        CHECK(consumer.produced() > before);
        CHECK(consumer.whole(before, consumer.produced()));
    }
    consumer.claim(consumer.produced());
    const std::uint64_t from = consumer.produced();
    make_events();
    CHECK(consumer.produced() > from);
    CHECK(consumer.whole(from, consumer.produced()));
}

namespace {

// Writes a new false position each time.
class Liar {
  public:
    void tell(Consumer& consumer) {
        x_ ^= x_ << 13, x_ ^= x_ >> 7, x_ ^= x_ << 17; // Marsaglia's xorshift
        const bool near = ++told_ % 3 != 0;
        consumer.claim(near ? consumer.produced() + (x_ & 0x3ffff) - 0x20000 : x_);
    }

  private:
    std::uint64_t x_ = 88172645463325252ULL, told_ = 0;
};

} // namespace

TEST_CASE("positions that change all the time") {
    Consumer consumer(kRing);
    const pid_t child = fork();
    if (child == 0)
        for (;;)
            make_events();
    Liar liar;
    for (int i = 0; i < 300'000; ++i)
        liar.tell(consumer);
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    consumer.claim(consumer.produced());
    const std::uint64_t from = consumer.produced();
    make_events(100);
    consumer.detach();
    CHECK(consumer.whole(from, consumer.produced()));
}

TEST_CASE("until it is killed" * doctest::skip()) {
    Consumer consumer(kRing);
    for (Liar liar;;)
        liar.tell(consumer);
}

TEST_CASE("a reader that falls behind is woken") {
    Consumer consumer(kRing);
    consumer.claim(consumer.produced());
    pollfd waiting{.fd = consumer.ring().get(), .events = POLLIN, .revents = 0};
    const pid_t child = fork();
    if (child == 0) {
        make_events(5000);
        _exit(0);
    }
    CHECK(poll(&waiting, 1, 10'000) == 1);
    waitpid(child, nullptr, 0);
}

TEST_CASE("what is mapped outlives its descriptors") {
    auto consumer = std::make_unique<Consumer>(kRing);
    const auto page = static_cast<std::size_t>(getpagesize());
    void* mapped =
        mmap(nullptr, page + kRing, PROT_READ, MAP_SHARED, consumer->ring().get(), getpagesize());
    REQUIRE(mapped != MAP_FAILED);
    const auto* data = static_cast<const volatile unsigned char*>(mapped);
    make_events();
    consumer.reset();
    unsigned sum = 0;
    for (std::size_t i = 0; i < page + kRing; i += 64)
        sum += data[i];
    CHECK(sum > 0);
    munmap(mapped, page + kRing);
}

TEST_CASE("rings that the machine has no memory for") {
    tiercel_start request = wanting_everything(1 << 30);
    request.config.cpus_per_ring = 1;
    CHECK(Device().start(request) == ENOMEM);
    request = wanting_everything();
    CHECK(Device().start(request) == 0);
}

TEST_CASE("dumps in pieces of any size") {
    const Device device;
    tiercel_start request = wanting_everything();
    REQUIRE(device.start(request) == 0);
    for (unsigned kind : {TIERCEL_FD_ITER_TASK, TIERCEL_FD_ITER_TASK_FILE}) {
        const UniqueFd fd = device.get(kind);
        std::vector<unsigned char> all;
        unsigned char piece[97];
        for (ssize_t got; (got = read(fd.get(), piece, sizeof piece)) > 0;)
            all.insert(all.end(), piece, piece + got);
        std::size_t at = 0, count = 0;
        for (std::uint32_t length = 0; at + 26 <= all.size(); at += length, ++count) {
            std::memcpy(&length, all.data() + at + 16, sizeof length); // after time and thread
            REQUIRE(length >= 26);
        }
        CHECK(at == all.size());
        CHECK(count > 0);
    }
}

} // namespace tiercel::module
