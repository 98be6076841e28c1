// SPDX-License-Identifier: Apache-2.0
//
// Fields by name, their values and their text.
#include <doctest/doctest.h>

#include <cstdlib>
#include <cstring>
#include <set>
#include <string>

#include "analyzer/fields/fields.h"
#include "analyzer/fields/format.h"
#include "analyzer/fields/list.h"
#include "analyzer/fields/names.h"
#include "tests/unit/state/event_builder.h"

using namespace tiercel;
using namespace std::literals;
using filter::Fields;
using test::EventBuilder;

namespace {

// A process tree init(1) → bash(10) → vim(20), and an event at a time.
struct World {
    state::StateTracker engine;
    Fields fields;
    filter::EventFields event{fields, engine};
    EventBuilder kept{event::SYSCALL_CLOSE_X};

    World() {
        add(1, 0, "init", "");
        add(10, 1, "bash", "-l\0"sv);
        add(20, 10, "vim", "-R\0a file\0"sv);
        engine.users().add({1000, 100, "me", "/home/me", "/bin/sh"});
        engine.users().add_group(100, "staff");
        engine.link();
    }
    void add(std::int64_t pid, std::int64_t ptid, std::string_view comm, std::string_view args) {
        state::Thread thread;
        thread.tid = thread.pid = thread.vpid = thread.vtid = pid;
        thread.ptid = ptid;
        thread.sid = 10;
        thread.uid = 1000;
        thread.gid = 100;
        thread.comm = state::Text(comm);
        thread.exe = state::Text("/usr/bin/"sv, comm);
        thread.exepath = thread.exe;
        thread.args = state::Text(args);
        thread.cap_effective = 1 | 1u << 21;
        thread.process = std::make_shared<state::Process>();
        thread.process->cwd = state::Text("/srv/");
        thread.process->env = state::Text("HOME=/home/me\0EDITOR=vim\0"sv);
        engine.add(std::move(thread));
    }
    World& apply(EventBuilder& builder) {
        kept = std::move(builder);
        view = kept.view();
        event.set(*view, 42, 3, engine.apply(*view, 3));
        return *this;
    }
    std::string operator[](std::string_view name) {
        Fields::Problem problem;
        const auto id = fields.resolve(name, problem);
        if (!id)
            return "!" + problem.message;
        std::string text;
        event.append_text(*id, text);
        return text;
    }
    std::optional<event::EventView> view;
};

EventBuilder open_by(std::int64_t tid, std::int64_t fd, std::string_view path,
                     std::uint32_t flags) {
    EventBuilder builder(event::SYSCALL_OPEN_X);
    builder.tid(static_cast<std::uint64_t>(tid))
        .i64(fd)
        .text(path)
        .u32(flags)
        .u32(0644)
        .u32(0x801)
        .u64(77);
    return builder;
}

} // namespace

TEST_CASE("an open, by all its fields") {
    World world;
    auto open = open_by(20, 3, "../etc/./passwd", 3 | 4 | 1u << 12);
    world.apply(open);
    CHECK(world["evt.num"] == "42");
    CHECK(world["evt.cpu"] == "3");
    CHECK(world["evt.type"] == "open");
    CHECK(world["evt.type.is.open"] == "1");
    CHECK(world["evt.type.is.close"] == "0");
    CHECK(world["evt.category"] == "file");
    CHECK(world["evt.res"] == "SUCCESS");
    CHECK(world["evt.args"] == "fd=3(<f>/etc/passwd) name=../etc/./passwd(/etc/passwd) "
                               "flags=4103(O_CREAT|O_RDWR|O_CLOEXEC) mode=0644 dev=801 ino=77");
    CHECK(world["evt.arg.flags"] == "O_CREAT|O_RDWR|O_CLOEXEC");
    CHECK(world["evt.arg[1]"] == "/etc/passwd");
    CHECK(world["evt.arg[9]"] == "<NA>");
    CHECK(world["evt.rawarg.flags"] == "4103");
    CHECK(world["evt.rawarg.name"] == "../etc/./passwd");
    CHECK(world["evt.is_open_read"] == "true");
    CHECK(world["evt.is_open_write"] == "true");
    CHECK(world["evt.is_open_exec"] == "false");
    CHECK(world["fd.num"] == "3");
    CHECK(world["fd.name"] == "/etc/passwd");
    CHECK(world["fd.nameraw"] == "../etc/./passwd");
    CHECK(world["fd.directory"] == "/etc");
    CHECK(world["fd.filename"] == "passwd");
    CHECK(world["fd.typechar"] == "f");
    CHECK(world["fd.dev.major"] == "8");
    CHECK(world["fd.dev.minor"] == "1");
    CHECK(world["fd.ino"] == "77");
    CHECK(world["fd.l4proto"] == "<NA>");
    CHECK(world["fs.path.name"] == "/etc/passwd");
    CHECK(world["fs.path.nameraw"] == "../etc/./passwd");
    CHECK(world["fs.path.source"] == "<NA>");
}

TEST_CASE("the process and its line of descent") {
    World world;
    auto open = open_by(20, 3, "/x", 1);
    world.apply(open);
    CHECK(world["proc.name"] == "vim");
    CHECK(world["proc.cmdline"] == "vim -R a file");
    CHECK(world["proc.exeline"] == "/usr/bin/vim -R a file");
    CHECK(world["proc.args"] == "-R a file");
    CHECK(world["proc.args[1]"] == "a file");
    CHECK(world["proc.args[2]"] == "<NA>");
    CHECK(world["proc.cmdnargs"] == "2");
    CHECK(world["proc.cmdlenargs"] == "8");
    CHECK(world["proc.env[EDITOR]"] == "vim");
    CHECK(world["proc.env[HOM]"] == "");
    CHECK(world["proc.env"] == "HOME=/home/me EDITOR=vim");
    CHECK(world["proc.pid"] == "20");
    CHECK(world["proc.ppid"] == "10");
    CHECK(world["proc.pname"] == "bash");
    CHECK(world["proc.pcmdline"] == "bash -l");
    CHECK(world["proc.aname[0]"] == "vim");
    CHECK(world["proc.aname[2]"] == "init");
    CHECK(world["proc.aname[3]"] == "<NA>");
    CHECK(world["proc.aname"] == "(bash,init)");
    CHECK(world["proc.apid[1]"] == "10");
    CHECK(world["proc.aenv[EDITOR]"] == "vim");
    CHECK(world["proc.sname"] == "bash");
    CHECK(world["proc.loginshellid"] == "10");
    CHECK(world["thread.cap_effective"] == "CAP_CHOWN CAP_SYS_ADMIN");
    CHECK(world["thread.cap_permitted"] == "");
    CHECK(world["user.name"] == "me");
    CHECK(world["user.homedir"] == "/home/me");
    CHECK(world["user.loginuid"] == "-1");
    CHECK(world["group.name"] == "staff");
    CHECK(world["container.id"] == "host");
    CHECK(world["container.image"] == "<NA>");
}

TEST_CASE("a call that failed") {
    World world;
    auto open = open_by(20, -13, "secret", 1);
    world.apply(open);
    CHECK(world["evt.res"] == "EACCES");
    CHECK(world["evt.rawres"] == "-13");
    CHECK(world["evt.failed"] == "true");
    CHECK(world["evt.count.error.file"] == "1");
    CHECK(world["fd.num"] == "-1");
    CHECK(world["fd.type"] == "<NA>");
    CHECK(world["fd.name"] == "/srv/secret");
    CHECK(world["evt.arg.fd"] == "EACCES");
}

TEST_CASE("the ends of a connection") {
    World world;
    EventBuilder socket(event::SOCKET_SOCKET_X), connect(event::SOCKET_CONNECT_X);
    world.apply(socket.tid(20).i64(4).u32(2).u32(1).u32(6).u32(0));
    const std::string tuple = "\x02\x0a\x00\x00\x01\x40\x9c\x0a\x00\x00\x02\xbb\x01"s;
    world.apply(connect.tid(20).i64(0).bytes(tuple).i64(4).none());
    CHECK(world["fd.name"] == "10.0.0.1:40000->10.0.0.2:443");
    CHECK(world["fd.cip"] == "10.0.0.1");
    CHECK(world["fd.sip"] == "10.0.0.2");
    CHECK(world["fd.lip"] == "10.0.0.1");
    CHECK(world["fd.rip"] == "10.0.0.2");
    CHECK(world["fd.cport"] == "40000");
    CHECK(world["fd.sport"] == "443");
    CHECK(world["fd.ip"] == "(10.0.0.1,10.0.0.2)");
    CHECK(world["fd.port"] == "(40000,443)");
    CHECK(world["fd.l4proto"] == "tcp");
    CHECK(world["fd.sockfamily"] == "ip");
    CHECK(world["fd.connected"] == "true");
    CHECK(world["fd.is_server"] == "false");
    CHECK(world["evt.arg.fd"] == "<4t>10.0.0.1:40000->10.0.0.2:443");
}

TEST_CASE("paths of moves and links") {
    World world;
    EventBuilder rename(event::SYSCALL_RENAME_X), link(event::SYSCALL_LINK_2_X);
    world.apply(rename.tid(20).i64(0).text("a").text("/b"));
    CHECK(world["fs.path.source"] == "/srv/a");
    CHECK(world["fs.path.sourceraw"] == "a");
    CHECK(world["fs.path.target"] == "/b");
    CHECK(world["fs.path.name"] == "<NA>");
    world.apply(link.tid(20).i64(0).text("/etc/shadow").text("copy"));
    CHECK(world["fs.path.source"] == "/srv/copy");
    CHECK(world["fs.path.target"] == "/etc/shadow");
    EventBuilder failed(event::SYSCALL_RENAME_X);
    world.apply(failed.tid(20).i64(-2).text("a").text("/b"));
    CHECK(world["fs.path.source"] == "<NA>");
}

TEST_CASE("parameters without a value, and dynamic ones") {
    World world;
    EventBuilder read(event::SYSCALL_READ_X), option(event::SOCKET_SETSOCKOPT_X);
    world.apply(read.tid(20).i64(0).none().none().none());
    CHECK(world["evt.args"] == "res=0 data=NULL fd=<NA> size=<NA>");
    world.apply(option.tid(20).i64(0).i64(9).u8(1).u8(2).bytes("\x02\x01\0\0\0"sv).u32(4));
    CHECK(world["evt.args"] ==
          "res=0 fd=9 level=1(SOL_SOCKET) optname=2(SO_REUSEADDR) val=1 optlen=4");
    EventBuilder damaged(event::SOCKET_SETSOCKOPT_X);
    world.apply(damaged.tid(20).i64(0).i64(9).u8(1).u8(2).bytes("\xff").u32(4));
    CHECK(world["evt.arg.val"] == "INVALID DYNAMIC PARAMETER");
}

TEST_CASE("bytes that cannot be printed are dots; outputs escape the rest") {
    World world;
    EventBuilder write(event::SYSCALL_WRITE_X);
    world.apply(write.tid(20).i64(5).bytes("a\"\\\n\xff").i64(1).u32(5));
    CHECK(world["evt.arg.data"] == "a\"\\..");
    CHECK(world["evt.buffer"] == "a\"\\..");
    auto open = open_by(20, 3, "/tmp/\x1b[31mred\n", 1);
    world.apply(open);
    CHECK(world["fd.name"] == "/tmp/\x1b[31mred\n");
}

TEST_CASE("times") {
    setenv("TZ", "UTC", 1);
    World world;
    auto open = open_by(20, 3, "/x", 1);
    world.apply(open.ts(1'534'527'342'000'000'007));
    CHECK(world["evt.time"] == "17:35:42.000000007");
    CHECK(world["evt.time.s"] == "17:35:42");
    CHECK(world["evt.datetime"] == "2018-08-17 17:35:42.000000007 +0000");
    CHECK(world["evt.time.iso8601"] == "2018-08-17T17:35:42.000000007+0000");
    CHECK(world["evt.rawtime"] == "1534527342000000007");
    CHECK(world["evt.rawtime.ns"] == "7");
    CHECK(world["evt.deltatime.ns"] == "000000000");
    CHECK(world["evt.around[1534527342000000007]"] == "0");
    CHECK(world["evt.around[1534527341000000007]"] == "1000");
    CHECK(world["evt.around[1534527343000000008]"] == "1001"); // a ns more than a second later
}

TEST_CASE("the machine's name, as it is known when the event comes") {
    World world;
    char name[16] = "";
    world.event.set_hostname(name);
    auto open = open_by(20, 3, "/x", 1);
    world.apply(open);
    CHECK(world["evt.hostname"] == "<NA>");
    std::strcpy(name, "host-7");
    CHECK(world["evt.hostname"] == "host-7");
}

TEST_CASE("what is no field, or not with that argument") {
    World world;
    CHECK(world["proc.nam"].starts_with("!there is no field"));
    CHECK(world["proc.pid[2]"].starts_with("!"));
    CHECK(world["proc.aname[x]"].starts_with("!"));
    CHECK(world["evt.arg"].starts_with("!"));
    CHECK(world["evt.around"].starts_with("!"));
    CHECK(world["evt.around[now]"].starts_with("!"));
    CHECK(world["evt.arg.nosuch"].starts_with("!no event has a parameter"));
    Fields::Problem problem;
    world.fields.resolve("proc.nmae", problem);
    CHECK(problem.unknown);
    CHECK(problem.hint.find("proc.name") != std::string::npos);
}

TEST_CASE("every field can be fetched for every event") {
    World world;
    Fields::Problem problem;
    for (const filter::FieldClass& group : filter::field_classes())
        for (const filter::FieldInfo& field : group.fields) {
            CAPTURE(field.name);
            std::string name(field.name);
            if (field.argument == filter::FieldArgument::index_or_name ||
                field.argument == filter::FieldArgument::name)
                name +=
                    field.name == "thread.cgroup" || field.name == "evt.type.is" ? ".cpu" : ".fd";
            if (field.argument == filter::FieldArgument::number)
                name += "[1]";
            REQUIRE(world.fields.resolve(name, problem));
            CHECK_FALSE(field.description.empty());
        }
    std::set<std::string_view> names;
    for (const event::EventInfo& info : event::events())
        for (const std::uint64_t tid : {20u, 999u}) {
            EventBuilder builder(info.code);
            if ((info.flags & event::LARGE_PAYLOAD) != 0)
                continue;
            world.apply(builder.tid(tid));
            for (const filter::FieldClass& group : filter::field_classes())
                for (const filter::FieldInfo& field : group.fields)
                    if (field.argument != filter::FieldArgument::name)
                        names.insert(world[field.name].empty() ? "" : field.name);
        }
    CHECK(names.size() > 100);
}

TEST_CASE("templates") {
    World world;
    auto open = open_by(20, 3, "/x", 1);
    world.apply(open);
    filter::Format::Problem problem;
    const auto render = [&](std::string_view text) {
        const auto format = filter::Format::compile(text, world.fields, problem);
        std::string out;
        if (format)
            format->render(world.event, out);
        return format ? out : "!" + std::to_string(problem.offset);
    };
    CHECK(render("File %fd.name opened by %proc.name.") == "File /x opened by vim.");
    CHECK(render("%proc.aname[2]/%proc.pname") == "init/bash");
    CHECK(render("%evt.arg.flags|%evt.arg[0]") == "O_RDONLY|<f>/x");
    CHECK(render("100%% of %container.image") == "100% of <NA>");
    CHECK(render("*%evt.type") == "open");
    CHECK(render("plain") == "plain");
    CHECK(render("bad %nosuch.field") == "!4");
    CHECK(render("bad %") == "!4");
    CHECK(render("%toupper(proc.name) %len(proc.name)") == "VIM 3");
    CHECK(render("%join(\"-\", (proc.name, proc.pname))!") == "vim-bash!");
    CHECK(render("%join(\",\", proc.args)|%concat(proc.name, fd.name)") == "-R,a file|vim/x");
    CHECK(render("%basename(container.image)") == "<NA>");
    CHECK(render("bad %toupper(nosuch.field)") == "!13");
    CHECK(render("bad %toupper(proc.name") == "!22");
    CHECK(render("%container.info.") == "container_id=host container_name=host.");
    std::string out;
    CHECK_FALSE(filter::Format::compile("%container.image", world.fields, problem)
                    ->render(world.event, out));
    CHECK(filter::Format::compile("%proc.name", world.fields, problem)->render(world.event, out));
}

TEST_CASE("fdlist has the fds of poll") {
    World world;
    auto open = open_by(20, 3, "/x", 1);
    world.apply(open);
    std::string list("\2\0", 2);
    for (const char fd : {'\3', '\7'})
        list += std::string(1, fd) + std::string(7, '\0') + std::string("\1\0", 2);
    EventBuilder poll(event::SYSCALL_POLL_X);
    poll.tid(20).i64(1).bytes(list).i64(-1);
    world.apply(poll);
    CHECK(world["fdlist.nums"] == "3,7");
    CHECK(world["fdlist.names"] == "/x,<NA>");
    CHECK(world["fdlist.cips"] == "<NA>");
    CHECK(world["evt.args"].find("3:f1 7:?1") != std::string::npos);
}

TEST_CASE("results: of calls that return an id, and none where there is none") {
    World world;
    EventBuilder getuid(event::SYSCALL_GETUID_X);
    getuid.tid(20).u32(4'000'000'000);
    world.apply(getuid);
    CHECK(world["evt.res"] == "SUCCESS");
    CHECK(world["evt.rawres"] == "4000000000");
    CHECK(world["evt.failed"] == "false");
    EventBuilder end(event::PROCEXIT_1_E);
    world.apply(end.tid(20));
    CHECK(world["evt.failed"] == "<NA>");
    CHECK(world["evt.res"] == "<NA>");
}

TEST_CASE("the path of a program has no mark of its removal") {
    World world;
    state::Thread thread;
    thread.tid = thread.pid = 30;
    thread.ptid = 10;
    thread.exepath = state::Text("/tmp/x (deleted)");
    thread.process = std::make_shared<state::Process>();
    world.engine.add(std::move(thread));
    auto open = open_by(30, 3, "/x", 1);
    world.apply(open);
    CHECK(world["proc.exepath"] == "/tmp/x");
}

TEST_CASE("names of errors and signals") {
    CHECK(filter::errno_name(-2) == "ENOENT");
    CHECK(filter::errno_name(-512) == "ERESTARTSYS");
    CHECK(filter::errno_name(-99999).empty());
    CHECK(filter::errno_name(INT64_MIN).empty());
    CHECK(filter::signal_name(9) == "SIGKILL");
    CHECK(filter::signal_name(200).empty());
}

TEST_CASE("the list of fields, in three styles") {
    using filter::ListStyle;
    CHECK(filter::list_fields(ListStyle::text).find("\nproc.aname[number]") != std::string::npos);
    CHECK(filter::list_fields(ListStyle::markdown).find("| `fd.name` | CHARBUF |") !=
          std::string::npos);
    CHECK(filter::list_fields(ListStyle::json).find("\"name\": \"evt.num\"") != std::string::npos);
}
