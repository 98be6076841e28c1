// SPDX-License-Identifier: Apache-2.0
#include "analyzer/setup/options.h"

#include <doctest/doctest.h>

#include "kernel/common/abi.h"

using namespace tiercel;
using app::Options;

namespace {

std::variant<Options, std::string> parse(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "analyzer");
    return app::parse_options(static_cast<int>(arguments.size()), arguments.data());
}
Options good(std::vector<const char*> arguments) {
    const auto parsed = parse(std::move(arguments));
    const auto* problem = std::get_if<std::string>(&parsed);
    REQUIRE_MESSAGE(problem == nullptr, (problem != nullptr ? *problem : ""));
    return std::get<Options>(parsed);
}
std::string bad(std::vector<const char*> arguments) {
    const auto parsed = parse(std::move(arguments));
    const auto* problem = std::get_if<std::string>(&parsed);
    return problem != nullptr ? *problem : "(accepted)";
}
bool says(const std::string& problem, std::string_view part) {
    return problem.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("without more, two CPUs share a ring of 8 MiB, and signals are shown") {
    const Options options = good({"--events"});
    CHECK(options.task == Options::Task::watch);
    CHECK(options.request.ring_bytes == 8 << 20);
    CHECK(options.request.cpus_per_ring == 2);
    CHECK(options.request.snaplen == 80);
    CHECK(options.request.tracepoints == TIERCEL_TP_SIGNAL);
    CHECK(options.request.driver == wire::Driver::automatic);
    CHECK(options.request.attach == wire::Attach::tracepoint);
    CHECK(options.syscalls.empty());
}

TEST_CASE("everything that is given arrives") {
    const Options options = good({"--events",
                                  "--json",
                                  "-n",
                                  "5",
                                  "-M",
                                  "7",
                                  "--syscalls",
                                  "openat, close,,read",
                                  "--driver",
                                  "modern_bpf",
                                  "--ring-size",
                                  "64K",
                                  "--cpus-per-ring=0",
                                  "--snaplen",
                                  "65000",
                                  "--tracepoints",
                                  "switch,page_fault",
                                  "--connect",
                                  "/x",
                                  "--attach",
                                  "per-syscall"});
    CHECK(options.form == Options::Form::json);
    CHECK(options.count == 5);
    CHECK(options.seconds == 7);
    CHECK(options.syscalls == std::vector<std::string>{"openat", "close", "read"});
    CHECK(options.request.driver == wire::Driver::modern);
    CHECK(options.request.attach == wire::Attach::per_syscall);
    CHECK(options.request.ring_bytes == 65536);
    CHECK(options.request.cpus_per_ring == 0);
    CHECK(options.request.snaplen == 65000);
    CHECK(options.request.tracepoints == (TIERCEL_TP_SWITCH | TIERCEL_TP_PAGE_FAULT));
    CHECK(options.socket == "/x");
}

TEST_CASE("a system call that does not exist is named, with its nearest") {
    const std::string problem = bad({"--events", "--syscalls", "close,opneat"});
    CHECK(says(problem, "'opneat'"));
    CHECK(says(problem, "'openat'"));
    CHECK(says(bad({"--events", "--syscalls", "zzzzzzzzzzzz"}), "'zzzzzzzzzzzz'"));
    CHECK(says(bad({"--events", "--syscalls", ","}), "at least one"));
}

TEST_CASE("values that cannot be are refused, each with the value in the line") {
    for (const char* size :
         {"0", "3M", "8M1", "M", "", "-8M", "32K", "2G", "99999999999999999999G"})
        CHECK(says(bad({"--events", "--ring-size", size}),
                   std::string("'").append(size).append("'")));
    CHECK(says(bad({"--events", "--cpus-per-ring", "5000"}), "'5000'"));
    CHECK(says(bad({"--events", "--snaplen", "65001"}), "'65001'"));
    CHECK(says(bad({"--events", "--driver", "ebpf"}), "'ebpf'"));
    CHECK(says(bad({"--events", "--attach", "fexit"}), "tracepoint, per-syscall, auto"));
    CHECK(says(bad({"--events", "--tracepoints", "signal,swich"}), "'swich'"));
    CHECK(says(bad({"--events", "--base-syscalls", "read,!raed"}), "did you mean 'read'?"));
    CHECK(says(bad({"--events", "--base-syscalls", ","}), "at least one"));
    CHECK(says(bad({"--events", "--replay", "x", "--base-syscalls", "read"}), "no use"));
    CHECK(says(bad({"--events", "-n", "many"}), "'many'"));
    CHECK(says(bad({"--events", "-M", "1.5"}), "'1.5'"));
}

TEST_CASE("what makes no sense together, or at all, is refused") {
    CHECK(says(bad({}), "nothing to do"));
    CHECK(says(bad({"--events", "--list-events"}), "exclude"));
    CHECK(says(bad({"--events", "--markdown"}), "--list-fields only"));
    CHECK(says(bad({"--events", "stray"}), "argument"));
    CHECK(says(bad({"--event"}), "--event")); // no guessing at abbreviations
    CHECK(says(bad({"--events", "-n"}), "-n"));
}

TEST_CASE("rules, configuration and a capture arrive, in their order") {
    const Options options = good({"-r", "a.yaml", "-r", "b.d", "-c", "falco.yaml", "-o", "x=1",
                                  "-o", "y=2", "--replay", "-", "-n", "3"});
    CHECK(options.task == Options::Task::watch);
    CHECK_FALSE(options.events);
    CHECK(options.rules == std::vector<std::string>{"a.yaml", "b.d"});
    CHECK(options.config == "falco.yaml");
    CHECK(options.settings == std::vector<std::string>{"x=1", "y=2"});
    CHECK(options.replay == "-");
    CHECK(good({"-V", "-r", "a"}).task == Options::Task::validate);
    CHECK(good({"--events", "--filter", "evt.type=open"}).filter == "evt.type=open");
    CHECK(good({"--events", "-r", "a"}).events);
    CHECK(says(bad({"-V"}), "nothing to do"));
    CHECK(says(bad({"--replay", "x"}), "nothing to do"));
    CHECK(says(bad({"-V", "--events", "-r", "a"}), "exclude"));
    CHECK(says(bad({"-r", "a", "--filter", "evt.type=open"}), "--filter"));
    CHECK(says(bad({"-r", "a", "--syscalls", "open"}), "--syscalls"));
    CHECK(says(bad({"-r", "a", "--replay", "x", "--driver", "module"}), "--replay"));
}

TEST_CASE("help and version go before every mistake that is none of syntax") {
    CHECK(good({"--help", "--ring-size", "0"}).task == Options::Task::help);
    CHECK(good({"--version"}).task == Options::Task::version);
    CHECK(says(app::help_text(), "Exit codes: 0"));
}

TEST_CASE("sizes take binary units") {
    CHECK(app::parse_size("4096") == 4096);
    CHECK(app::parse_size("64k") == 65536);
    CHECK(app::parse_size("1G") == 1U << 30);
    CHECK_FALSE(app::parse_size("K"));
    CHECK_FALSE(app::parse_size("1KK"));
    CHECK_FALSE(app::parse_size("18446744073709551615K"));
}
