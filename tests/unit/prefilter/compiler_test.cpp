// SPDX-License-Identifier: Apache-2.0
//
// What the compiler derives from rules: which calls pass, by the words of --explain-filter.
#include <doctest/doctest.h>

#include "analyzer/prefilter/explain.h"
#include "analyzer/rules/rule_engine.h"
#include "shared/wire/channel.h"

using namespace tiercel;
using namespace tiercel::prefilter;

namespace {

struct Rules {
    filter::Fields fields;
    rules::Loaded loaded;
    Compiled compiled;

    explicit Rules(const std::vector<std::string>& conditions, bool state = true,
                   const std::string& output = "%evt.type") {
        std::string text;
        for (std::size_t i = 0; i < conditions.size(); ++i)
            text += "- rule: R" + std::to_string(i) + "\n  desc: d\n  output: \"" + output +
                    "\"\n  priority: INFO\n  warn_evttypes: false\n  condition: >\n    " +
                    conditions[i] + '\n';
        rules::LoadOptions options;
        options.fields = &fields;
        loaded = rules::load_texts({{"rules", text}}, options);
        REQUIRE(loaded.rules);
        compiled = compile(*loaded.rules, fields, state, {});
    }
    // What passes of the event, joined by " | "; "-" if neither a rule nor the tables
    // need it.
    std::string of(std::uint16_t code) const {
        for (const Wish& wish : compiled.wishes) {
            if (wish.code != code)
                continue;
            std::string text;
            for (const Wish::Pass& pass : wish.passes)
                text += (text.empty() ? "" : " | ") + describe(pass.calls);
            return text.empty() ? "never" : text;
        }
        return "-";
    }
};

std::string openat(const std::string& condition) {
    return Rules({"evt.type=openat and " + condition}, false).of(event::SYSCALL_OPENAT_2_X);
}

} // namespace

TEST_CASE("the result decides where a rule asks for it") {
    CHECK(openat("proc.name=x") == "always");
    CHECK(openat("evt.failed=false") == "succeeded");
    CHECK(openat("evt.failed=true") == "failed");
    CHECK(openat("not evt.failed=true and proc.name=x") == "succeeded");
    CHECK(openat("fd.num>=0") == "succeeded");
    CHECK(openat("fd.num=-1") == "failed");
    CHECK(openat("fd.num=7") == "succeeded");
    CHECK(openat("evt.rawres>=0") == "succeeded");
    CHECK(openat("evt.rawres=-13") == "failed with EACCES");
    CHECK(openat("evt.rawres in (-13, 5)") == "succeeded or failed with EACCES");
    CHECK(openat("evt.res in (EACCES, EPERM)") == "failed with EPERM, EACCES, 127 or a larger one");
    CHECK(openat("evt.res=SUCCESS") == "succeeded or failed with 127 or a larger one");
    CHECK(openat("evt.failed=false and evt.failed=true") == "never");
    CHECK(openat("(evt.failed=true or proc.name=x)") == "always");
    CHECK(openat("not (evt.failed=true or proc.name=x)") == "succeeded");
    CHECK(openat("not (evt.failed=true and proc.name=x)") == "always");
    CHECK(openat("evt.rawres > -5 and evt.rawres < 0") ==
          "failed with EPERM, ENOENT, ESRCH, EINTR");
    // What can be judged stays apart from what cannot.
    CHECK(openat("(evt.failed=false or (evt.failed=true and proc.name=x))") == "always");
}

TEST_CASE("a failed open has no fd, and its path is known") {
    CHECK(openat("fd.type=file") == "succeeded");
    CHECK(openat("fd.typechar='f'") == "always");
    CHECK(openat("fd.typechar='d'") == "succeeded");
    CHECK(openat("fd.ino=5") == "succeeded");
    CHECK(openat("not fd.ino=5") == "always");
    CHECK(openat("fd.num=-1 and fd.nameraw contains \"../\"") ==
          "failed, the path contains \"../\"");
    CHECK(openat("fd.num=-1 and fd.nameraw contains id_rsa") ==
          "failed, the path contains \"id_r\"");
    CHECK(openat("not fd.nameraw contains \"../\"") == "always");
    CHECK(openat("fd.nameraw icontains \"../\"") == "always");
    CHECK(openat("fd.num>=0 and evt.is_open_write=true") ==
          "succeeded, argument 2 under the mask 0x3 is 1, 2");
    CHECK(openat("evt.is_open_write=false and evt.is_open_read=false") ==
          "argument 2 under the mask 0x3 is 3");
}

TEST_CASE("calls that fail change no table, with the exceptions that are known") {
    const Rules none({"evt.type=openat and fd.num>=0", "evt.type=write and fd.name=/x"});
    CHECK(none.compiled.needs_all_files == "R1");
    CHECK(none.of(event::SYSCALL_OPENAT_2_X) == "succeeded");
    CHECK(none.of(event::SYSCALL_CLOSE_X) == "succeeded");
    CHECK(none.of(event::SOCKET_CONNECT_X) == "always");
    CHECK(none.of(event::SOCKET_SENDTO_X) == "succeeded or failed with EINPROGRESS");
    CHECK(none.of(event::SOCKET_RECVFROM_X) == "succeeded, not on a TCP socket");
    CHECK(none.of(event::SYSCALL_PRCTL_X) == "succeeded, argument 0 is 15, 36");
    CHECK(none.of(event::SYSCALL_FCNTL_X) == "succeeded, argument 1 is 0, 2, 63 or larger");
    CHECK(none.of(event::SYSCALL_READ_X) == "-");
    CHECK(none.of(event::SYSCALL_CLONE_20_X) == "succeeded");
}

TEST_CASE("the tables follow sockets and directories if that is enough for the rules") {
    const Rules some({"evt.type=openat and fd.name=/x and evt.failed=true",
                      "evt.type=dup2 and evt.rawres in (0, 1) and fd.typechar=4",
                      "evt.type=connect and fd.typechar=u and fd.name contains docker"});
    CHECK(some.compiled.needs_all_files == "");
    CHECK(some.of(event::SYSCALL_OPENAT_2_X) == "succeeded, gave a directory | failed");
    CHECK(some.of(event::SYSCALL_CLOSE_X) == "never");
    CHECK(some.of(event::SYSCALL_PIPE2_X) == "never");
    CHECK(some.of(event::SYSCALL_DUP2_X) ==
          "succeeded, gave a TCP socket or another socket or a directory");
    CHECK(some.of(event::SOCKET_CONNECT_X) == "succeeded or failed with most errors");
    CHECK(some.of(event::SYSCALL_FCNTL_X) ==
          "succeeded, argument 1 is 0, 63 or larger, gave a TCP socket or another socket or a "
          "directory | succeeded, argument 1 is 2, on a TCP socket or another socket or a "
          "directory");
    CHECK(some.of(event::SYSCALL_CLOSE_RANGE_X) == "succeeded, argument 2 under the mask 0x2 is 2");
    CHECK(some.of(event::SYSCALL_CHDIR_X) == "succeeded");
}

TEST_CASE("a rule that looks at files opened before has all of them followed") {
    const auto follows_all = [](const std::vector<std::string>& conditions,
                                const std::string& output = "%evt.type") {
        return !Rules(conditions, true, output).compiled.needs_all_files.empty();
    };
    CHECK(follows_all({"evt.type=write and fd.name=/x"}));
    CHECK(follows_all({"evt.type=write and fd.type=ipv4"}));
    CHECK(follows_all({"evt.type=close and proc.name=x"}, "%fd.name"));
    CHECK(follows_all({"evt.type=dup2 and fd.typechar=4"}));
    CHECK(follows_all({"evt.type=dup2 and evt.rawres=0 and not fd.typechar=f"}));
    CHECK(follows_all({"evt.type=dup2 and evt.rawres=0 and fd.typechar=4", "evt.type=dup2"}));
    CHECK(follows_all({"evt.type=connect and not fd.typechar=f"}));
    CHECK(follows_all({"evt.type=execve and proc.stdin.type=ipv4"}));
    CHECK(follows_all({"evt.type=execve and proc.fdopencount > 5"}));
    CHECK(follows_all({"evt.type=read and fd.types intersects (file)"}));
    CHECK(follows_all({"evt.type=poll"}, "%fdlist.names"));
    CHECK(follows_all({"evt.type=setns and evt.arg.fd contains net"}));
    CHECK(follows_all({"evt.type=execve"}, "%proc.stdin.name"));
    CHECK_FALSE(follows_all({"evt.type=execve and fd.types intersects (file)"}, "%fd.name"));
    CHECK_FALSE(follows_all({"evt.type=socket and fd.type=ipv4"}, "%fd.name %evt.args"));
    CHECK_FALSE(follows_all({"evt.type=connect and evt.failed=false and not fd.typechar=f"}));
}

TEST_CASE("the file of a descriptor that an output shows is told before the event") {
    const auto told = [](const std::string& condition, const std::string& output,
                         std::uint16_t code) {
        const Rules rules({condition}, true, output);
        CHECK(rules.compiled.needs_all_files == "");
        return unsigned{rules.compiled.filter.told[code]};
    };
    CHECK(told("evt.type=fchmod", "%fs.path.name", event::SYSCALL_FCHMOD_X) == 1);
    CHECK(told("evt.type=fchmod", "%proc.name", event::SYSCALL_FCHMOD_X) == 0);
    CHECK(told("evt.type=setns", "%evt.args", event::SYSCALL_SETNS_X) == 1);
    CHECK(told("evt.type=setns", "%evt.arg.nstype", event::SYSCALL_SETNS_X) == 0);
    CHECK(told("evt.type=write", "%fd.name", event::SYSCALL_WRITE_X) == 1);
    CHECK(told("evt.type=move_mount", "%evt.args", event::SYSCALL_MOVE_MOUNT_X) == 0b101);
    CHECK(told("evt.type=linkat and fs.path.source=/x", "x", event::SYSCALL_LINKAT_2_X) == 0b101);
    CHECK(told("evt.type=unlinkat and fs.path.name=/x", "x", event::SYSCALL_UNLINKAT_2_X) == 0);
}

TEST_CASE("what a rule asks of a TCP socket's state keeps its events") {
    const auto receives = [](const std::string& condition, const std::string& output = "x") {
        return Rules({"evt.type=sendto and " + condition}, true, output)
            .of(event::SOCKET_RECVFROM_X);
    };
    CHECK(receives("fd.connected=false") == "succeeded");
    CHECK(receives("fd.l4proto!=tcp and fd.connected=false") == "succeeded, not on a TCP socket");
    CHECK(receives("not (fd.l4proto=tcp or fd.connected=true)") ==
          "succeeded, not on a TCP socket");
    CHECK(receives("(fd.l4proto=tcp or fd.connected=true)") == "succeeded, not on a TCP socket");
    CHECK(receives("(fd.l4proto=udp or fd.connected=true)") == "succeeded");
    CHECK(receives("proc.name=x", "%fd.connected") == "succeeded");
}

TEST_CASE("a rule that counts events or times them needs all of them") {
    CHECK(Rules({"evt.type=openat and evt.num=7"}).compiled.off != "");
    CHECK(Rules({"evt.type=openat and evt.deltatime > 5"}).compiled.off != "");
    CHECK(Rules({"evt.type=openat and evt.num=0"}).compiled.off == "");
    CHECK(Rules({"evt.type=openat and fd.num>=0 and not evt.num=0"}).compiled.off == "");
    CHECK(Rules({"evt.type=openat and evt.num=0"}, false).of(event::SYSCALL_OPENAT_2_X) == "never");
    const tiercel_filter nothing{};
    CHECK(covers(Rules({"evt.num=7"}).compiled.filter, nothing));
}

TEST_CASE("the rows are those that privd accepts, and events with the same rows share them") {
    const Rules some({"evt.type=openat and fd.num>=0",
                      "evt.type=open and fd.num=-1 and fd.nameraw contains \"../\"",
                      "evt.type=write and fd.name=/x"});
    wire::Request request;
    request.filter = some.compiled.filter;
    CHECK(wire::check_values(request) == wire::Status::ok);
    const auto& first = some.compiled.filter.first;
    CHECK(first[event::SYSCALL_OPENAT_2_X] != 0);
    CHECK(first[event::SYSCALL_OPENAT_2_X] == first[event::SYSCALL_CLOSE_X]);
    CHECK(first[event::SYSCALL_OPEN_X] != first[event::SYSCALL_CLOSE_X]);
    CHECK(first[event::SOCKET_CONNECT_X] == 0);
    CHECK(first[event::GENERIC_X] == 0);
}

TEST_CASE("a filter covers another if it passes all of its events") {
    const auto filter = [](const std::string& condition) {
        return Rules({"evt.type=openat and " + condition}, false).compiled.filter;
    };
    const tiercel_filter nothing{}, success = filter("fd.num>=0"), all = filter("proc.name=x");
    CHECK(covers(nothing, success));
    CHECK(covers(success, success));
    CHECK_FALSE(covers(success, nothing));
    CHECK(covers(all, success));
    CHECK(covers(Rules({"evt.type in (openat, open) and fd.num>=0"}, false).compiled.filter,
                 success));
    CHECK_FALSE(covers(success,
                       Rules({"evt.type in (openat, open) and fd.num>=0"}, false).compiled.filter));
    CHECK_FALSE(covers(success, all));
    CHECK_FALSE(covers(success, filter("fd.num=-1")));
    CHECK(covers(filter("fd.num=-1"), filter("evt.rawres=-13")));
    CHECK(covers(filter("fd.num=-1"), filter("fd.num=-1 and fd.nameraw contains \"../\"")));
    CHECK(covers(filter("fd.nameraw contains \"..\""), filter("fd.nameraw contains \"../\"")));
    CHECK_FALSE(
        covers(filter("fd.nameraw contains \"../\""), filter("fd.nameraw contains \"..\"")));
}
