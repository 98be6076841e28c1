// SPDX-License-Identifier: Apache-2.0
//
// Conditions on files that have several names: the kernel's path, the process's text made whole,
// and the kernel's path without bind mounts. A condition holds if it holds in one of these
// readings.
#include <doctest/doctest.h>

#include <string>
#include <variant>

#include "analyzer/fields/fields.h"
#include "analyzer/rules/condition.h"
#include "tests/unit/state/event_builder.h"

using namespace tiercel;
using test::EventBuilder;

namespace {

// An open of `given` that opened `real`, by a process whose working directory is /srv.
struct World {
    state::StateTracker tracker;
    filter::Fields fields;
    filter::EventFields event{fields, tracker};
    EventBuilder kept{event::SYSCALL_CLOSE_X};

    explicit World(bool as_given = false) {
        state::Thread thread;
        thread.tid = thread.pid = thread.vpid = thread.vtid = 20;
        thread.process = std::make_shared<state::Process>();
        thread.process->cwd = state::Text("/srv/");
        tracker.add(std::move(thread));
        tracker.link();
        tracker.set_names_as_given(as_given);
    }
    World& apply(EventBuilder builder) {
        kept = std::move(builder);
        view = kept.tid(20).view();
        event.set(*view, 1, 0, tracker.apply(*view, 0));
        return *this;
    }
    World& open(std::string_view given, std::string_view real, std::string_view origin = {}) {
        EventBuilder builder(event::SYSCALL_OPENAT_2_X);
        builder.i64(3).i64(event::kAtFdcwd).text(given).u32(1).u32(0).u32(0x801).u64(77);
        builder.text(real);
        return apply(origin.empty() ? builder.none() : builder.text(origin));
    }
    World& read() { return apply(EventBuilder(event::SYSCALL_READ_X).i64(1).text("x").i64(3)); }
    bool holds(const std::string& text) {
        auto compiled = filter::Condition::compile(text, fields);
        REQUIRE(std::holds_alternative<filter::Condition>(compiled));
        return std::get<filter::Condition>(compiled).holds(*view, event);
    }
    std::string operator[](std::string_view name) {
        filter::Fields::Problem problem;
        const auto id = fields.resolve(name, problem);
        std::string text;
        if (id)
            event.append_text(*id, text);
        return id ? text : problem.message;
    }
    std::optional<event::EventView> view;
};

} // namespace

TEST_CASE("a file is printed by the kernel's path, and matches by it and by the text") {
    World world;
    world.open("../tmp/link/shadow", "/etc/shadow");
    CHECK(world["fd.name"] == "/etc/shadow");
    CHECK(world["fd.nameraw"] == "../tmp/link/shadow");
    CHECK(world["fd.realpath"] == "/etc/shadow");
    CHECK(world["fd.path_differs"] == "true");
    CHECK(world["fs.path.name"] == "/etc/shadow");
    CHECK(world["fs.path.real"] == "/etc/shadow");
    CHECK(world["fs.path.nameraw"] == "../tmp/link/shadow");
    CHECK(world["evt.args"].find("realpath") == std::string::npos);
    for (const char* name : {"/etc/shadow", "/tmp/link/shadow"}) {
        CHECK(world.holds("fd.name = " + std::string(name)));
        CHECK(world.holds("fs.path.name in (/a, " + std::string(name) + ")"));
    }
    CHECK(world.holds("fd.directory = /etc"));
    CHECK(world.holds("fd.directory = /tmp/link"));
    CHECK(world.holds("fd.filename = shadow"));
    CHECK_FALSE(world.holds("fd.name = ../tmp/link/shadow"));
    CHECK(world.read().holds("fd.name = /etc/shadow"));
    CHECK(world.holds("fd.name startswith /tmp/link"));
    CHECK(world["fd.name"] == "/etc/shadow"); // also after conditions
}

TEST_CASE("an exclusion by one name does not hide the file's other name") {
    World world;
    world.open("/tmp/link/shadow", "/etc/shadow");
    // A rule with an exception for /tmp sees the kernel's path; one for /etc sees the text.
    CHECK(world.holds("fd.name startswith /etc and not fd.name startswith /tmp"));
    CHECK(world.holds("fd.name startswith /tmp and not fd.name startswith /etc"));
    CHECK(world.holds("fd.name != /etc/shadow"));
    CHECK(world.holds("fd.name != /tmp/link/shadow"));
    CHECK_FALSE(world.holds("not fd.name in (/etc/shadow, /tmp/link/shadow)"));
    // One reading at a time: both names of an excluded file together make no alert.
    world.open("/etc/localtime", "/usr/share/zoneinfo/UTC");
    CHECK_FALSE(world.holds("fd.name startswith /etc and not fd.name in (/etc/localtime)"));
}

TEST_CASE("a file below a bind mount matches by its path without it, too") {
    World world;
    world.open("/tmp/bound/shadow", "/tmp/bound/shadow", "/etc/shadow");
    CHECK(world["fd.name"] == "/tmp/bound/shadow");
    CHECK(world["fs.path.host"] == "/etc/shadow");
    CHECK(world["fd.path_differs"] == "false");
    CHECK(world.holds("fd.name = /etc/shadow"));
    CHECK(world.holds("fd.name = /tmp/bound/shadow"));
    world.open("/tmp/link/shadow", "/tmp/bound/shadow", "/etc/shadow");
    CHECK(world.holds("fd.name = /etc/shadow"));
    CHECK(world.holds("fd.name = /tmp/link/shadow"));
    CHECK(world.holds("fd.name = /tmp/bound/shadow"));
}

TEST_CASE("without the kernel's path, or as given, only the text counts") {
    World given(true);
    given.open("/tmp/link/shadow", "/etc/shadow");
    CHECK(given["fd.name"] == "/tmp/link/shadow");
    CHECK(given["fd.realpath"] == "<NA>");
    CHECK(given["fd.path_differs"] == "<NA>");
    CHECK_FALSE(given.holds("fd.name = /etc/shadow"));
    World none;
    none.open("/tmp/link/shadow", "");
    CHECK(none["fd.name"] == "/tmp/link/shadow");
    CHECK(none["fs.path.real"] == "<NA>");
    // What the driver calls a pipe is no path.
    none.open("/proc/self/fd/5", "pipe:[7]");
    CHECK(none["fd.name"] == "/proc/self/fd/5");
}

TEST_CASE("a record of a file that came from another process replaces what the table had") {
    World world;
    world.open("/a", "/a");
    EventBuilder record(event::ITER_TASK_FILE_REGULAR_E);
    record.i32(3).text("/etc/shadow").u32(1).u32(5).u64(9);
    const event::EventView view = record.tid(std::uint64_t{20} << 32 | 20).view();
    world.tracker.apply(view, 0);
    world.read();
    CHECK(world["fd.name"] == "/etc/shadow");
    CHECK(world["fd.realpath"] == "/etc/shadow");
    CHECK(world["fd.type"] == "file");
}

TEST_CASE("a Unix socket has the kernel's path of the file it was bound to") {
    World world;
    world.apply(EventBuilder(event::SOCKET_SOCKET_X).i64(4).u32(1).u32(1).u32(0));
    std::string address("\1link/door", 10);
    address += '\0';
    world.apply(
        EventBuilder(event::SOCKET_BIND_X).i64(0).bytes(address).i64(4).text("/srv/real/door"));
    CHECK(world["fd.name"] == "/srv/real/door");
    CHECK(world.holds("fd.name = link/door"));
    CHECK(world.holds("fd.name = /srv/real/door"));
}

namespace {

EventBuilder unlinkat(std::string_view name, std::string_view start) {
    EventBuilder builder(event::SYSCALL_UNLINKAT_2_X);
    builder.i64(0).i64(event::kAtFdcwd).text(name).u32(0);
    return start.empty() ? builder.none() : builder.text(start);
}

} // namespace

TEST_CASE("a call that opens nothing names its file by where the lookup starts") {
    World world;
    world.apply(unlinkat("shadow", "/etc"));
    CHECK(world["fs.path.name"] == "/etc/shadow");
    CHECK(world["fs.path.real"] == "/etc/shadow");
    CHECK(world["fs.path.nameraw"] == "shadow");
    CHECK(world.holds("fs.path.name = /etc/shadow"));
    world.apply(unlinkat("../etc/shadow", "/srv"));
    CHECK(world["fs.path.name"] == "/etc/shadow");
    CHECK(world["fs.path.real"] == "<NA>"); // a link may be on the way
    world.apply(unlinkat("/etc/.//../etc/shadow", "/"));
    CHECK(world["fs.path.name"] == "/etc/shadow");
    CHECK(world["fs.path.nameraw"] == "/etc/.//../etc/shadow");
    world.apply(unlinkat("shadow", ""));
    CHECK(world["fs.path.name"] == "/srv/shadow");
    CHECK(world["fs.path.real"] == "<NA>");
    World given(true);
    given.apply(unlinkat("shadow", "/etc"));
    CHECK(given["fs.path.name"] == "/srv/shadow");
    CHECK(given["fs.path.real"] == "<NA>");
}

TEST_CASE("below another root directory an absolute name has two readings") {
    World world;
    world.apply(unlinkat("/shadow", "/etc"));
    CHECK(world["fs.path.name"] == "/etc/shadow");
    CHECK(world["fs.path.real"] == "/etc/shadow");
    CHECK(world.holds("fs.path.name = /etc/shadow"));
    CHECK(world.holds("fs.path.name = /shadow"));
    CHECK_FALSE(world.holds("fs.path.name = /srv/shadow"));
    world.apply(unlinkat("/../shadow", "/etc"));
    CHECK(world["fs.path.name"] == "/etc/shadow");
    world.apply(unlinkat("/etc/shadow", "/"));
    CHECK(world["fs.path.name"] == "/etc/shadow");
    CHECK(world["fs.path.real"] == "<NA>");
}

TEST_CASE("each of two paths has its own start") {
    World world;
    EventBuilder rename(event::SYSCALL_RENAMEAT_X);
    rename.i64(0).i64(5).text("a").i64(event::kAtFdcwd).text("b").text("/one").text("/two");
    world.apply(std::move(rename));
    CHECK(world["fs.path.source"] == "/one/a");
    CHECK(world["fs.path.target"] == "/two/b");
}
