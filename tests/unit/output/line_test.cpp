// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "analyzer/output/event_json.h"
#include "analyzer/output/event_line.h"
#include "tests/unit/output/make_event.h"

using namespace tiercel;
using test::raw;
using test::text;

namespace {

constexpr std::uint64_t kTs = 1'700'000'000'123'456'789; // 2023-11-14T22:13:20 UTC

std::vector<std::byte> open_event(std::string_view name) {
    return test::make_event(event::SYSCALL_OPEN_X,
                            {raw(std::int64_t{-2}), text(name), raw(std::uint32_t{1}),
                             raw(std::uint32_t{0}), raw(std::uint32_t{0}), raw(std::uint64_t{0})},
                            kTs, 2077);
}

template <typename Printer>
std::string print(Printer&& printer, const std::vector<std::byte>& bytes) {
    state::StateTracker engine;
    const auto view = event::EventView::parse(bytes);
    REQUIRE(view.has_value());
    engine.apply(*view, 3);
    output::Buffer out;
    printer.append(out, {.number = 15, .event = *view, .cpu = 3, .engine = engine});
    return fmt::to_string(out);
}

} // namespace

TEST_CASE("a line has number, local time, CPU, process, thread, type and parameters") {
    setenv("TZ", "UTC-2", 1); // two hours east
    CHECK(print(output::EventLine(false), open_event("/nonexistent")) ==
          "15 00:13:20.123456789 3 <NA> (2077) open fd=-2(ENOENT) name=/nonexistent "
          "flags=1(O_RDONLY) "
          "mode=0 dev=0 ino=0\n");
}

TEST_CASE("an event is one line, whatever the process put into it") {
    const std::string line = print(output::EventLine(false), open_event("/a\nfake 1 2 3\x1b[0m"));
    CHECK(line.find('\n') == line.size() - 1);
    CHECK(line.find('\x1b') == std::string::npos);
}

TEST_CASE("colours are in lines for terminals, and what the process chose has none") {
    const std::string line = print(output::EventLine(true), open_event("/a\x1b[5m"));
    CHECK(line.find("\x1b[1;31mopen\x1b[0m") != std::string::npos); // it failed
    CHECK(line.find("\x1b[5m") == std::string::npos);
    setenv("NO_COLOR", "1", 1);
    CHECK_FALSE(output::wants_colour(1));
}

TEST_CASE("a JSON object has the same, typed") {
    const auto object = nlohmann::json::parse(print(output::EventJson(), open_event("/x\xff")));
    CHECK(object["evt.num"] == 15);
    CHECK(object["evt.time"] == kTs);
    CHECK(object["evt.time.iso8601"] == "2023-11-14T22:13:20.123456789Z");
    CHECK(object["evt.cpu"] == 3);
    CHECK(object["evt.type"] == "open");
    CHECK(object["evt.category"] == "file");
    CHECK(object["proc.name"].is_null());
    CHECK(object["thread.tid"] == 2077);
    CHECK(object["params"]["fd"] == -2);
    CHECK(object["params"]["name"] == R"(/x\xff)");
    CHECK(object["params"]["flags"]["names"] == nlohmann::json({"O_RDONLY"}));
}

TEST_CASE("the generic event goes by the name of its syscall") {
    const auto* call = event::find_syscall("getppid");
    REQUIRE(call != nullptr);
    const auto bytes =
        test::make_event(event::GENERIC_X, {raw(call->scap), raw(std::uint16_t{110})}, kTs);
    CHECK(nlohmann::json::parse(print(output::EventJson(), bytes))["evt.type"] == "getppid");
}
