// SPDX-License-Identifier: Apache-2.0
//
// The loop with a driver that wakes its reader through a pipe (wire::Kind::wakeup).
#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include "analyzer/service/loop.h"

using tiercel::app::Loop;
using tiercel::os::UniqueFd;

namespace {

struct Pipe {
    UniqueFd reads[1], writes;
    Pipe() {
        int ends[2] = {-1, -1};
        REQUIRE(pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
        reads[0] = UniqueFd(ends[0]);
        writes = UniqueFd(ends[1]);
    }
};

} // namespace

TEST_CASE(
    "a byte in the driver's pipe has the rings read, and is taken so that the next one does") {
    Pipe pipe;
    int calls = 0;
    Loop* self = nullptr;
    Loop loop(pipe.reads, true, 1 << 20, 10,
              {.read =
                   [&] {
                       if (++calls == 4)
                           self->stop();
                       REQUIRE(write(pipe.writes.get(), "x", 1) == 1);
                       return std::size_t{0};
                   },
               .report = [] {},
               .reopen = [] {}});
    self = &loop;
    loop.run();
    CHECK(calls == 4);
    char bytes[8];
    const ssize_t left = read(pipe.reads[0].get(), bytes, sizeof bytes);
    CHECK(left >= 1); // the last one
    CHECK(left < 4);  // the rest was taken
}

TEST_CASE("the loop ends when the driver does") {
    Pipe pipe;
    int calls = 0;
    Loop loop(pipe.reads, true, 1 << 20, 10,
              {.read =
                   [&] {
                       ++calls;
                       pipe.writes.reset();
                       return std::size_t{0};
                   },
               .report = [] {},
               .reopen = [] {}});
    const auto begin = std::chrono::steady_clock::now();
    loop.run();
    CHECK(calls >= 1);
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(5));
}
