// SPDX-License-Identifier: Apache-2.0
//
// Events of containers wait for the runtime's answer; those of other processes go on.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "analyzer/pipeline/container_wait.h"
#include "tests/unit/state/event_builder.h"

using namespace tiercel;
using app::ContainerWait;
using test::EventBuilder;

namespace {

const std::string kId(64, 'a'), kOther(64, 'b');
constexpr std::uint64_t kEnd = ~std::uint64_t{0};

EventBuilder exec(std::int64_t pid, const std::string& id) {
    using namespace std::literals;
    EventBuilder event(event::SYSCALL_EXECVE_19_X);
    event.tid(static_cast<std::uint64_t>(pid)).i64(0).text("sh").bytes("-l\0"sv);
    event.i64(pid).i64(pid).i64(1).text("/").u64(1024).u64(0).u64(0).u32(0).u32(0).u32(0);
    event.text("sh").bytes("cpu=" + (id.empty() ? "/" : "/docker/" + id) + '\0');
    return event;
}

EventBuilder open(std::int64_t tid) {
    EventBuilder event(event::SYSCALL_OPEN_X);
    event.tid(static_cast<std::uint64_t>(tid)).i64(3).text("/etc/hosts");
    return event;
}

// A state and what waits in front of it.
struct Waiting {
    state::StateTracker state;
    filter::Fields fields;
    ContainerWait wait{state, fields};
    std::vector<std::pair<std::uint16_t, std::uint64_t>> taken; // codes and threads

    explicit Waiting(const char* field = "container.name") {
        state.containers().remember();
        state.containers().set_answering(true);
        filter::Fields::Problem problem;
        REQUIRE(fields.resolve(field, problem));
    }
    void take(const event::EventView& view) {
        state.apply(view, 0);
        taken.emplace_back(view.code(), view.tid());
    }
    // Returns whether the event is held.
    bool give(EventBuilder builder) {
        const event::EventView view = builder.view();
        const bool held = wait.hold(view, 0);
        if (!held)
            take(view);
        return held;
    }
    void release(std::uint64_t now_ns) {
        wait.release(now_ns, [this](const event::EventView& view, std::uint16_t) { take(view); });
    }
    void answer() {
        auto met = state.containers().take();
        REQUIRE(met);
        state::Container container;
        container.id = met->full_id;
        state.containers().tell(*met, std::move(container));
    }
};

} // namespace

TEST_CASE("a container's events come in order once its runtime has answered") {
    Waiting waiting;
    CHECK(waiting.give(exec(10, kId)));
    CHECK(waiting.give(open(10)));
    CHECK_FALSE(waiting.give(exec(20, "")));
    CHECK_FALSE(waiting.give(open(20)));
    waiting.release(0);
    CHECK(waiting.taken.size() == 2);
    waiting.answer();
    waiting.release(0);
    using Taken = decltype(waiting.taken);
    CHECK(waiting.taken == Taken{{event::SYSCALL_EXECVE_19_X, 20},
                                 {event::SYSCALL_OPEN_X, 20},
                                 {event::SYSCALL_EXECVE_19_X, 10},
                                 {event::SYSCALL_OPEN_X, 10}});
    REQUIRE(waiting.state.containers().find(std::string(12, 'a')) != nullptr);
    CHECK_FALSE(waiting.give(open(10)));
    CHECK_FALSE(waiting.give(exec(11, kId))); // the answer holds for every process of it
}

TEST_CASE("a runtime that does not answer is waited for once, and not for ever") {
    Waiting waiting;
    CHECK(waiting.give(exec(10, kId)));
    CHECK(waiting.give(exec(30, kOther)));
    waiting.release(kEnd);
    CHECK(waiting.taken.size() == 2);
    CHECK_FALSE(waiting.give(open(10)));
    CHECK_FALSE(waiting.give(exec(11, kId)));
    CHECK_FALSE(waiting.give(open(30)));
}

TEST_CASE("a container that no runtime knows is not waited for") {
    Waiting waiting;
    CHECK(waiting.give(exec(10, kId)));
    const auto met = waiting.state.containers().take();
    REQUIRE(met);
    waiting.state.containers().give_up(*met);
    waiting.release(0);
    CHECK(waiting.taken.size() == 1);
}

TEST_CASE("a process that was known before is held, too") {
    Waiting waiting;
    const EventBuilder earlier = exec(10, kId);
    waiting.take(EventBuilder(earlier).view());
    CHECK(waiting.give(open(10)));
    waiting.answer();
    waiting.release(0);
    CHECK(waiting.taken.size() == 2);
}

TEST_CASE("events are not held if no rule needs the runtime, or the enricher is not connected") {
    Waiting by_cgroup("container.id");
    CHECK_FALSE(by_cgroup.give(exec(10, kId)));
    Waiting alone;
    alone.state.containers().set_answering(false);
    CHECK_FALSE(alone.give(exec(10, kId)));
}

TEST_CASE("much that is held is let go") {
    Waiting waiting;
    std::size_t bytes = 0;
    while (bytes < ContainerWait::kMostBytes) {
        REQUIRE(waiting.give(exec(10, kId)));
        bytes += exec(10, kId).view().size();
    }
    waiting.release(0);
    CHECK(waiting.taken.size() > 1000);
    CHECK_FALSE(waiting.give(exec(10, kId)));
}
