// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "courier/delivery/pump.h"
#include "courier/delivery/text.h"

using namespace tiercel::courier;

TEST_CASE("an id names host, boot and sequence, in two forms") {
    const Record record{.boot = {0xab, 1}, .sequence = 255, .host = "web"};
    CHECK(id_of(record) == "web/ab010000000000000000000000000000/255");
    CHECK(short_id_of(record) == "ab0100000000000000000000000000ff");
}

TEST_CASE("times are in UTC") {
    CHECK(iso_time(1508512252222264351) == "2017-10-20T15:10:52.222264Z");
}

TEST_CASE("pauses double up to the longest, and differ by chance") {
    using std::chrono::milliseconds;
    Backoff backoff(milliseconds(100), milliseconds(800));
    for (const int whole : {100, 200, 400, 800, 800, 800}) {
        const auto pause = backoff.next().count();
        CHECK(pause >= whole / 2);
        CHECK(pause <= whole);
    }
    backoff.reset();
    CHECK(backoff.next().count() <= 100);
}
