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
    Memory() { REQUIRE(ftruncate(fd.get(), kBytes) == 0); }
    [[nodiscard]] KeptLines map() const {
        auto mapped = os::Mapping::shared(fd, kBytes, 0, PROT_READ | PROT_WRITE, "a memory");
        REQUIRE(mapped.has_value());
        return KeptLines(*std::move(mapped));
    }
};

Outbox::LinePointer line(std::string text) {
    return std::make_shared<const alerts::Line>(
        alerts::Line{std::move(text), config::Priority::notice, "A rule", 7});
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
    const auto left = next.left("file /x", {});
    CHECK(texts(left) == Texts{"one", "two"});
    CHECK(left[0]->priority == config::Priority::notice);
    CHECK(left[0]->rule == "A rule");
    CHECK(left[0]->time_ns == 7);
    CHECK(texts(next.left("stdout", {})) == Texts{"elsewhere"});
    CHECK(next.left("stdout", {}).empty()); // it was written
}

TEST_CASE("a line about an event that is evaluated again is left out") {
    const Memory memory;
    KeptLines first = memory.map();
    const auto one = first.keep(line("before"), "o", {1, 40}),
               two = first.keep(line("again"), "o", {1, 80});
    CHECK(texts(memory.map().left("o", {1, 80})) == Texts{"before"});
}

TEST_CASE("lines that are dropped at the end stay kept") {
    const Memory memory;
    KeptLines first = memory.map();
    {
        const auto waiting = first.keep(line("blocked"), "o", {});
        first.freeze();
    }
    CHECK(texts(memory.map().left("o", {})) == Texts{"blocked"});
}

TEST_CASE("what does not fit is sent, and not kept") {
    const Memory memory;
    KeptLines first = memory.map();
    const std::string longest(KeptLines::kLongest - std::string("A rule").size(), 'x');
    std::vector<Outbox::LinePointer> waiting;
    waiting.push_back(first.keep(line(longest + "x"), "o", {}));
    CHECK(waiting[0]->text.size() == longest.size() + 1);
    for (int i = 0; i < 10; ++i)
        waiting.push_back(first.keep(line(longest), "o", {}));
    CHECK(waiting.back()->text == longest);
    CHECK(memory.map().left("o", {}).size() == 8);
}

TEST_CASE("a memory that was written at random gives no line") {
    const Memory memory;
    const std::string noise(kBytes, '\xff');
    REQUIRE(pwrite(memory.fd.get(), noise.data(), noise.size(), 0) == kBytes);
    CHECK(memory.map().left("o", {}).empty());
}
