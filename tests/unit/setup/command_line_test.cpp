// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "analyzer/setup/command_line.h"
#include "kernel/common/abi.h"
#include "shared/document/document.h"

using namespace tiercel;
using app::CommandLine;

namespace {

std::variant<CommandLine, std::string> parse(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "analyzer");
    return app::parse_command_line(static_cast<int>(arguments.size()), arguments.data());
}
CommandLine good(std::vector<const char*> arguments) {
    const auto parsed = parse(std::move(arguments));
    const auto* problem = std::get_if<std::string>(&parsed);
    REQUIRE_MESSAGE(problem == nullptr, (problem != nullptr ? *problem : ""));
    return std::get<CommandLine>(parsed);
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

TEST_CASE("values that are not given are left to the configuration, and signals are shown") {
    const CommandLine options = good({"--events"});
    CHECK(options.task == CommandLine::Task::watch);
    CHECK_FALSE(options.ring_bytes);
    CHECK_FALSE(options.cpus_per_ring);
    CHECK_FALSE(options.snaplen);
    CHECK(options.request.tracepoints == TIERCEL_TP_SIGNAL);
    CHECK_FALSE(options.driver);
    CHECK(options.request.attach == wire::Attach::tracepoint);
    CHECK(options.syscalls.empty());
}

TEST_CASE("everything that is given arrives") {
    const CommandLine options = good({"--events",
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
                                      "--args-max",
                                      "32768",
                                      "--tracepoints",
                                      "switch,page_fault",
                                      "--memory",
                                      "64M",
                                      "--connect",
                                      "/x",
                                      "--attach",
                                      "per-syscall"});
    CHECK(options.form == app::Form::json);
    CHECK(options.count == 5);
    CHECK(options.seconds == 7);
    CHECK(options.syscalls == std::vector<std::string>{"openat", "close", "read"});
    CHECK(options.driver == wire::Driver::modern);
    CHECK(options.request.attach == wire::Attach::per_syscall);
    CHECK(options.ring_bytes == 65536);
    CHECK(options.cpus_per_ring == 0);
    CHECK(options.snaplen == 65000);
    CHECK(options.args_max == 32768);
    CHECK(options.memory == 64 << 20);
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
    for (const char* size : {"3M", "", "2048G", "lots"})
        CHECK(says(bad({"--events", "--memory", size}), std::string("'").append(size).append("'")));
    CHECK(says(bad({"--events", "--snaplen", "65001"}), "'65001'"));
    CHECK(says(bad({"--events", "--args-max", "32769"}), "'32769'"));
    CHECK(says(bad({"--events", "--driver", "ebpff"}), "'ebpff'"));
    CHECK(says(bad({"--events", "--attach", "fexit"}), "tracepoint, per-syscall, auto"));
    CHECK(says(bad({"--events", "--tracepoints", "signal,swich"}), "'swich'"));
    CHECK(says(bad({"--events", "--base-syscalls", "read,!raed"}), "did you mean 'read'?"));
    CHECK(says(bad({"--events", "--base-syscalls", ","}), "at least one"));
    CHECK(says(bad({"--events", "--replay", "x", "--base-syscalls", "read"}), "cannot be used"));
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
    const CommandLine options = good({"-r", "a.yaml", "-r", "b.d", "-c", "falco.yaml", "-o", "x=1",
                                      "-o", "y=2", "--replay", "-", "-n", "3"});
    CHECK(options.task == CommandLine::Task::watch);
    CHECK_FALSE(options.events);
    CHECK(options.rules == std::vector<std::string>{"a.yaml", "b.d"});
    CHECK(options.config_file == "falco.yaml");
    CHECK(options.keys == std::vector<std::string>{"x=1", "y=2"});
    CHECK(options.replay == "-");
    CHECK(good({"-V", "-r", "a"}).task == CommandLine::Task::validate);
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
    CHECK(good({"--help", "--ring-size", "0"}).task == CommandLine::Task::help);
    CHECK(good({"--version"}).task == CommandLine::Task::version);
    CHECK(says(app::help_text(), "Exit codes: 0"));
}

TEST_CASE("sizes take binary units") {
    CHECK(config::read_size("4096") == 4096);
    CHECK(config::read_size("64k") == 65536);
    CHECK(config::read_size("1G") == 1U << 30);
    CHECK_FALSE(config::read_size("K"));
    CHECK_FALSE(config::read_size("1KK"));
    CHECK_FALSE(config::read_size("18446744073709551615K"));
}
