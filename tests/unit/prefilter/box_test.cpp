// SPDX-License-Identifier: Apache-2.0
//
// Sets of calls: whatever the operations do, no call gets lost.
#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "analyzer/prefilter/box.h"

using namespace tiercel::prefilter;

namespace {

struct SomeCall {
    std::int64_t result;
    std::uint32_t argument;
    std::uint8_t file;
    std::string text;
};

bool has(const Box& box, const SomeCall& call) {
    const std::size_t error =
        call.result < 0 ? static_cast<std::size_t>(std::min<std::int64_t>(-call.result, 127)) : 0;
    const bool result =
        call.result >= 0 ? box.succeeded : (box.errors[error / 64] >> error % 64 & 1) != 0;
    const std::uint32_t value = std::min(call.argument & box.values.mask, 63u);
    return result &&
           (box.values.argument == Box::kNoArgument || (box.values.in_set >> value & 1)) &&
           (box.files.argument == Box::kNoArgument || (box.files.kinds & call.file)) &&
           (box.text.argument == Box::kNoArgument ||
            call.text.find(box.text.contains) != std::string::npos);
}

bool has(const Boxes& boxes, const SomeCall& call) {
    return std::ranges::any_of(boxes, [&](const Box& box) { return has(box, call); });
}

class Random {
  public:
    std::uint64_t below(std::uint64_t limit) { return engine_() % limit; }
    Box box() {
        static const std::string kTexts[] = {"../", "..", "id_r", "a"};
        Box box;
        box.succeeded = below(2) == 0;
        box.errors = {engine_() & engine_(), engine_()};
        if (below(3) == 0)
            box.values = {2, below(2) == 0 ? 3u : 7u, engine_()};
        if (below(3) == 0)
            box.files = {0, static_cast<std::uint8_t>(1 + below(3))};
        if (below(3) == 0)
            box.text = {1, kTexts[below(4)]};
        return box;
    }
    Boxes boxes() {
        Boxes made(below(4));
        for (Box& box_of : made)
            box_of = box();
        return made;
    }
    SomeCall call() {
        static const std::string kTexts[] = {"/etc/../x", "id_rsa", "/a", "b", ".."};
        return {static_cast<std::int64_t>(below(300)) - 150, static_cast<std::uint32_t>(below(80)),
                static_cast<std::uint8_t>(below(2) == 0 ? TIERCEL_FILE_TCP : TIERCEL_FILE_OTHER),
                kTexts[below(5)]};
    }

  private:
    std::mt19937_64 engine_{1};
};

} // namespace

TEST_CASE("intersections, unions and widening lose no call") {
    Random random;
    for (int round = 0; round < 3000; ++round) {
        const Boxes a = random.boxes(), b = random.boxes();
        const Boxes both = intersection(a, b);
        Boxes either = a;
        unite(either, b);
        Boxes wide = either;
        widen(wide, 1);
        CHECK(wide.size() <= 1);
        for (int i = 0; i < 50; ++i) {
            const SomeCall call = random.call();
            if (has(a, call) && has(b, call))
                CHECK(has(both, call));
            if (has(a, call) || has(b, call))
                CHECK((has(either, call) && has(wide, call)));
        }
    }
}

TEST_CASE("a box contains another only if it has all of its calls") {
    Random random;
    int contained = 0;
    for (int round = 0; round < 20'000; ++round) {
        Box a = random.box(), b = random.box();
        if (round % 2 == 0)
            b = intersection(a, b);
        if (!a.contains(b))
            continue;
        ++contained;
        for (int i = 0; i < 20; ++i) {
            const SomeCall call = random.call();
            if (has(b, call))
                CHECK(has(a, call));
        }
    }
    CHECK(contained > 1000);
}

TEST_CASE("a union says no more than it must where boxes differ in the result only") {
    Box failed = Box::of_failure(), succeeded = Box::of_success();
    Boxes boxes = {failed};
    unite(boxes, {succeeded});
    REQUIRE(boxes.size() == 1);
    CHECK(boxes[0].is_everything());
}
