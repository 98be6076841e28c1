// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "analyzer/output/alerts/kept_lines.h"

using namespace tiercel;
using alerts::KeptLines;
using alerts::Outbox;
using Place = ring::Progress::Place;

namespace {

constexpr std::size_t kBytes = 64 << 10; // eight lines

struct Memory {
    os::UniqueFd fd{memfd_create("lines", MFD_CLOEXEC)};
    os::UniqueFd places{memfd_create("progress", MFD_CLOEXEC)};
    ring::Progress progress{make(places, sizeof(ring::Progress::Shared))};

    Memory() { REQUIRE(ftruncate(fd.get(), kBytes) == 0); }
    static os::Mapping make(const os::UniqueFd& fd, std::size_t bytes) {
        REQUIRE(ftruncate(fd.get(), static_cast<off_t>(bytes)) == 0);
        auto mapped = os::Mapping::shared(fd, bytes, 0, PROT_READ | PROT_WRITE, "a memory");
        REQUIRE(mapped.has_value());
        return *std::move(mapped);
    }
    [[nodiscard]] KeptLines map() const { return {make(fd, kBytes), progress}; }
};

Outbox::LinePointer line(std::string text) {
    return std::make_shared<const alerts::Line>(
        alerts::Line{std::move(text), config::Priority::notice, "A rule", 7, "c0ffee"});
}

using Texts = std::vector<std::string>;

Texts texts(const std::vector<Outbox::LinePointer>& lines) {
    Texts made;
    for (const Outbox::LinePointer& each : lines)
        made.push_back(each->text);
    return made;
}

} // namespace

TEST_CASE("a line that is not written stays for the next process, in order and for its output") {
    const Memory memory;
    std::vector<Outbox::LinePointer> waiting;
    KeptLines first = memory.map();
    waiting.push_back(first.keep(line("one"), "file /x", {}));
    first.keep(line("written"), "file /x", {}); // its only copy ends here
    waiting.push_back(first.keep(line("two"), "file /x", {}));
    waiting.push_back(first.keep(line("elsewhere"), "stdout", {}));
    CHECK(waiting[0]->text == "one");

    KeptLines next = memory.map();
    const auto left = next.left("file /x");
    CHECK(texts(left) == Texts{"one", "two"});
    CHECK(left[0]->priority == config::Priority::notice);
    CHECK(left[0]->rule == "A rule");
    CHECK(left[0]->time_ns == 7);
    CHECK(left[0]->container_id == "c0ffee");
    CHECK(waiting[0]->container_id == "c0ffee");
    CHECK(texts(next.left("stdout")) == Texts{"elsewhere"});
    CHECK(next.left("stdout").empty()); // it was written
}

TEST_CASE("an alert about an event that is evaluated again is sent once to each output") {
    const Memory memory;
    const Place done{1, 40}, again{1, 80};
    memory.progress.end(done.ring, again.position);
    memory.progress.begin(again.ring, again.position);
    KeptLines first = memory.map();
    std::vector<Outbox::LinePointer> waiting;
    waiting.push_back(first.keep(line("before"), "waits", done));
    waiting.push_back(first.keep(line("again"), "waits", again));
    first.keep(line("before"), "wrote", done); // its only copy ends here, so that it is written
    first.keep(line("again"), "wrote", again);

    KeptLines next = memory.map();
    CHECK(texts(next.left("waits")) == Texts{"before", "again"});
    CHECK(next.left("wrote").empty());
    CHECK(next.left("neither").empty());
    CHECK(next.was_sent("A rule", "waits", again));
    CHECK(next.was_sent("A rule", "wrote", again));
    CHECK_FALSE(next.was_sent("A rule", "neither", again));
    CHECK_FALSE(next.was_sent("Another rule", "wrote", again));
    CHECK_FALSE(next.was_sent("A rule", "wrote", done));
    CHECK_FALSE(next.was_sent("A rule", "wrote", {0, again.position}));
}

TEST_CASE("a line that is written stays known until its event is done, also by a third process") {
    const Memory memory;
    const Place event{0, 8};
    memory.map().keep(line("one"), "o", event);
    KeptLines second = memory.map();
    CHECK(second.left("o").empty());
    for (int i = 0; i < 20; ++i) // more than there is room for
        second.keep(line("two"), "o", {0, 4000});
    KeptLines third = memory.map();
    third.left("o");
    CHECK(third.was_sent("A rule", "o", event));

    memory.progress.end(event.ring, 16);
    KeptLines fourth = memory.map();
    fourth.left("o");
    CHECK_FALSE(fourth.was_sent("A rule", "o", event));
}

TEST_CASE("the room of a written line is used again when its event is done") {
    const Memory memory;
    KeptLines lines = memory.map();
    for (std::uint64_t i = 0; i < 100; ++i) {
        const Place event{0, i * 8};
        memory.progress.begin(event.ring, event.position);
        lines.keep(line(std::to_string(i)), "o", event);
        memory.progress.end(event.ring, event.position + 8);
    }
    const auto last = lines.keep(line("kept"), "o", {0, 800});
    CHECK(texts(memory.map().left("o")) == Texts{"kept"});
}

TEST_CASE("a session that follows another takes over its lines, whose events are done") {
    const Memory old, fresh;
    const Place event{0, 4000};
    KeptLines first = old.map();
    const auto waiting = first.keep(line("waits"), "o", event);
    first.keep(line("written"), "o", event);
    KeptLines::adopt(Memory::make(old.fd, kBytes), Memory::make(fresh.fd, kBytes));
    KeptLines next = fresh.map();
    const auto left = next.left("o");
    CHECK(texts(left) == Texts{"waits"});
    CHECK(left[0]->container_id == "c0ffee");
    CHECK_FALSE(next.was_sent("A rule", "o", event));
}

TEST_CASE("lines that are dropped at the end stay kept") {
    const Memory memory;
    KeptLines first = memory.map();
    {
        const auto waiting = first.keep(line("blocked"), "o", {});
        first.freeze();
    }
    CHECK(texts(memory.map().left("o")) == Texts{"blocked"});
}

TEST_CASE("what does not fit is sent, and not kept") {
    const Memory memory;
    KeptLines first = memory.map();
    const std::string longest(KeptLines::kLongest - std::string("A rulec0ffee").size(), 'x');
    std::vector<Outbox::LinePointer> waiting;
    waiting.push_back(first.keep(line(longest + "x"), "o", {}));
    CHECK(waiting[0]->text.size() == longest.size() + 1);
    for (int i = 0; i < 10; ++i)
        waiting.push_back(first.keep(line(longest), "o", {}));
    CHECK(waiting.back()->text == longest);
    CHECK(memory.map().left("o").size() == 8);
}

TEST_CASE("a memory that was written at random gives no line") {
    const Memory memory;
    const std::string noise(kBytes, '\xff');
    REQUIRE(pwrite(memory.fd.get(), noise.data(), noise.size(), 0) == kBytes);
    CHECK(memory.map().left("o").empty());
}
