// SPDX-License-Identifier: Apache-2.0
// What options, configuration and rules say together, and what is asked of the probe for it.
#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "analyzer/setup/detection.h"
#include "analyzer/setup/interest.h"
#include "kernel/common/abi.h"

using namespace tiercel;
using app::CommandLine;

namespace {

constexpr const char* kRules = R"(
- rule: Opens
  desc: d
  condition: evt.type=openat and fd.name startswith /etc
  output: opened (%fd.name)
  priority: NOTICE
  tags: [files]
- rule: Asks
  desc: d
  condition: evt.type=getppid
  output: asked
  priority: DEBUG
)";

struct File {
    std::string path =
        (std::filesystem::temp_directory_path() / ("tiercel-setup-" + std::to_string(getpid())))
            .string();
    explicit File(const std::string& text) { std::ofstream(path) << text; }
    ~File() { std::filesystem::remove(path); }
};

bool wants(const app::Interest& interest, std::string_view call) {
    wire::Request request;
    interest.store(request);
    const auto number = static_cast<std::size_t>(event::native_number(*event::find_syscall(call)));
    return (request.interest[number / 64] >> (number % 64) & 1) != 0;
}

CommandLine rules_from(const File& file, std::vector<std::string> settings = {}) {
    CommandLine options;
    options.rules = {file.path};
    options.keys = std::move(settings);
    return options;
}

// The configuration, the rules and the findings of one command line.
struct Made {
    app::Findings findings;
    app::Config config;
    std::unique_ptr<app::Detection> detection;
    explicit Made(const CommandLine& given)
        : config(app::make_config(given, findings)),
          detection(app::read_detection(config, findings)) {}
    bool good() const { return findings.good(); }
    app::Interest interest() const { return app::interest_of(config, *detection); }
};

} // namespace

TEST_CASE(
    "events without a choice ask for everything, with one for that and what the state needs") {
    CommandLine options;
    options.events = true;
    const app::Interest all = Made(options).interest();
    for (const event::SyscallInfo& call : event::syscalls())
        if (event::native_number(call) >= 0)
            CHECK(wants(all, call.name));
    options.syscalls = {"write", "getppid"};
    app::Interest some = Made(options).interest();
    for (const char* call : {"write", "getppid", "close", "openat", "execve", "setpgid"})
        CHECK(wants(some, call));
    for (const char* call : {"read", "getpid"})
        CHECK_FALSE(wants(some, call));
    options.syscalls = {};
    options.filter = "evt.type in (read, getpid)";
    some = Made(options).interest();
    for (const char* call : {"read", "getpid", "close"})
        CHECK(wants(some, call));
    CHECK_FALSE(wants(some, "write"));
}

TEST_CASE("the top page counts every event without rules, and with rules those that they need") {
    const File file(kRules);
    CommandLine options;
    options.top = true;
    CHECK(wants(Made(options).interest(), "read"));
    options.rules = {file.path};
    const Made made(options);
    CHECK_FALSE(wants(made.interest(), "read"));
    CHECK(wants(made.interest(), "getppid"));
    CHECK(app::kernel_filter(made.config, *made.detection).off.empty());
    options.no_kernel_filter = true;
    CHECK(wants(Made(options).interest(), "read"));
}

TEST_CASE("rules ask for what they look at, and base_syscalls replaces what the state needs") {
    const File file(kRules);
    CommandLine options = rules_from(file);
    app::Interest interest = Made(options).interest();
    for (const char* call : {"openat", "getppid", "close", "execve"})
        CHECK(wants(interest, call));
    CHECK_FALSE(wants(interest, "read"));
    options = rules_from(file, {"base_syscalls.custom_set=[read, \"!getppid\"]"});
    interest = Made(options).interest();
    for (const char* call : {"openat", "read"})
        CHECK(wants(interest, call));
    for (const char* call : {"getppid", "close", "execve"})
        CHECK_FALSE(wants(interest, call));
    CommandLine by_option = rules_from(file);
    by_option.base_syscalls = {"read", "!getppid"};
    const app::Interest same = Made(by_option).interest();
    for (const char* call : {"openat", "read", "getppid", "close", "execve"})
        CHECK(wants(same, call) == wants(interest, call));
    options.keys.emplace_back("base_syscalls.repair=true");
    CHECK(wants(Made(options).interest(), "close"));
}

TEST_CASE("settings reach the rules and the request") {
    const File file(kRules);
    const Made made(
        rules_from(file, {"priority=notice", "engine.kind=kmod", "engine.kmod.buf_size_preset=5",
                          "json_output=true", "append_output=[{extra_output: (n=%evt.num)}]"}));
    REQUIRE(made.good());
    CHECK(made.detection->rules->rules[0].enabled);
    CHECK(made.detection->rules->rules[0].output == "opened (%fd.name) (n=%evt.num)");
    CHECK_FALSE(made.detection->rules->rules[1].enabled);
    CHECK_FALSE(wants(made.interest(), "getppid"));
    CHECK(made.config.request.driver == wire::Driver::module);
    CHECK(made.config.request.ring_bytes == 16 << 20);
    CHECK(made.config.form == app::Form::json);
    const Made other(
        rules_from(file, {"rules=[{disable: {rule: \"*\"}}, {enable: {tag: files}}]"}));
    REQUIRE(other.good());
    CHECK(other.detection->rules->rules[0].enabled);
    CHECK_FALSE(other.detection->rules->rules[1].enabled);
}

TEST_CASE("an option has precedence over the key that means the same") {
    const File file(kRules);
    CommandLine given =
        rules_from(file, {"engine.kind=kmod", "engine.kmod.buf_size_preset=5",
                          "falco_libs.snaplen=100", "engine.modern_ebpf.cpus_for_each_buffer=4",
                          "rules_files=[/nonexistent]", "memory_limit=64M"});
    CHECK(Made(given).config.request.snaplen == 100);
    CHECK(Made(given).config.request.cpus_per_ring == 4);
    CHECK(Made(given).config.settings.memory_limit == 64 << 20);
    given.driver = wire::Driver::modern;
    given.ring_bytes = 1 << 16;
    given.snaplen = 90;
    given.cpus_per_ring = 1;
    given.memory = 32 << 20;
    const Made made(given);
    REQUIRE(made.good());
    CHECK(made.config.request.driver == wire::Driver::modern);
    CHECK(made.config.request.ring_bytes == 1 << 16);
    CHECK(made.config.request.snaplen == 90);
    CHECK(made.config.request.cpus_per_ring == 1);
    CHECK(made.config.settings.memory_limit == 32 << 20);
    CHECK(made.config.settings.rules_files == std::vector{file.path});
}

TEST_CASE("every name of a driver is taken, and replay is no driver") {
    const File file(kRules);
    for (const auto& [name, driver] : std::initializer_list<std::pair<std::string, wire::Driver>>{
             {"modern_ebpf", wire::Driver::modern},
             {"modern_bpf", wire::Driver::modern},
             {"ebpf", wire::Driver::classic},
             {"kmod", wire::Driver::module},
             {"module", wire::Driver::module}}) {
        const Made made(rules_from(file, {"engine.kind=" + name}));
        CAPTURE(name);
        CHECK(made.good());
        CHECK(made.config.request.driver == driver);
    }
    CHECK_FALSE(Made(rules_from(file, {"engine.kind=replay"})).good());
    const Made made(rules_from(file, {"engine.kind=replay", "engine.replay.capture_file=/x.scap"}));
    CHECK(made.good());
    CHECK(made.config.replay == "/x.scap");
}

TEST_CASE("alerts need an output, and an output that does not exist here is an error") {
    const File file(kRules);
    CHECK_FALSE(Made(rules_from(file, {"stdout_output.enabled=false"})).good());
    CHECK(Made(rules_from(file, {"stdout_output.enabled=false", "syslog_output.enabled=true"}))
              .good());
    CHECK_FALSE(Made(rules_from(file, {"grpc_output.enabled=true"})).good());
    CHECK(Made(rules_from(file, {"grpc_output.enabled=false"})).good());
}

TEST_CASE("config_files are merged in order, with directories, and sequences are appended") {
    const File file(kRules);
    const std::filesystem::path directory = file.path + ".d";
    std::filesystem::create_directory(directory);
    std::ofstream(directory / "1.yaml") << "json_output: true\nrules_files: [/second]\n";
    std::ofstream(directory / "2.yaml") << "hostname: last\n";
    std::ofstream(directory / "no.txt") << "unknown: 1\n";
    std::ofstream(directory / "main")
        << "rules_files: [/first]\nconfig_files: [" << directory.string() << ", /nonexistent]\n";
    CommandLine given;
    given.config_file = directory / "main";
    app::Findings findings;
    const app::Config config = app::make_config(given, findings);
    std::filesystem::remove_all(directory);
    CHECK(findings.good());
    CHECK(config.settings.json_output);
    CHECK(config.settings.hostname == "last");
    CHECK(config.settings.rules_files == std::vector<std::string>{"/first", "/second"});
}

TEST_CASE("rules and --filter ask for the tracepoints of the events that they name") {
    const auto tracepoints = [](const std::string& condition, bool filter) {
        const File file("- rule: R\n  desc: d\n  condition: " + condition +
                        "\n  output: o\n  priority: NOTICE\n  warn_evttypes: false\n");
        CommandLine options;
        if (filter) {
            options.events = true;
            options.filter = condition;
        } else {
            options.rules = {file.path};
        }
        wire::Request request;
        request.tracepoints = 0;
        Made(options).interest().store(request);
        return request.tracepoints;
    };
    for (const bool filter : {false, true}) {
        CAPTURE(filter);
        CHECK(tracepoints("evt.type=openat", filter) == 0);
        CHECK(tracepoints("evt.type=switch", filter) == TIERCEL_TP_SWITCH);
        CHECK(tracepoints("evt.type in (page_fault, open)", filter) == TIERCEL_TP_PAGE_FAULT);
        CHECK(tracepoints("evt.type=signaldeliver and proc.name=x", filter) == TIERCEL_TP_SIGNAL);
        CHECK(tracepoints("proc.name=x", filter) == 0); // not by what is about everything
    }
}

TEST_CASE("what Falco suggests can be appended to outputs") {
    const File file(kRules);
    CommandLine options = rules_from(
        file, {"append_output=[{match: {rule: Opens}, extra_output: x, suggested_output: true}]"});
    const Made made(options);
    REQUIRE(made.good());
    CHECK(made.detection->rules->rules[0].output ==
          "opened (%fd.name) x container_id=%container.id container_name=%container.name "
          "container_image_repository=%container.image.repository "
          "container_image_tag=%container.image.tag k8s_pod_name=%k8s.pod.name "
          "k8s_ns_name=%k8s.ns.name");
    CHECK(made.detection->rules->rules[1].output == "asked");
}

TEST_CASE("what is wrong is refused") {
    const File file(kRules);
    CommandLine options = rules_from(file, {"engine.kind=ebpff"});
    CHECK_FALSE(Made(options).good());
    options = rules_from(file, {"no_such_key=1"});
    CHECK_FALSE(Made(options).good());
    options = {};
    options.keys = {"priority=debug"};
    CHECK_FALSE(Made(options).good()); // nothing to do
    options = {};
    options.config_file = "/nonexistent";
    CHECK_FALSE(Made(options).good());
    options = {};
    options.rules = {"/nonexistent"};
    CHECK_FALSE(Made(options).good());
    options = {};
    options.events = true;
    options.filter = "evt.typ=open";
    CHECK_FALSE(Made(options).good());
}

TEST_CASE("findings show the line, a caret and a hint, as text and as JSON") {
    app::Findings findings;
    filter::Fields fields;
    const std::string condition = "evt.type=open and proc.nme=cat";
    auto compiled = filter::Condition::compile(condition, fields);
    findings.add("--filter", condition,
                 std::get<std::vector<filter::Condition::Problem>>(compiled));
    CHECK_FALSE(findings.good());
    const std::string text = findings.text();
    CHECK(text.starts_with("--filter:1:19: error: "));
    CHECK(text.find("\n                    ^~~~~~~~") != std::string::npos);
    CHECK(text.find("proc.name") != std::string::npos);
    const std::string json = findings.json();
    CHECK(
        json.starts_with(R"({"valid":false,"errors":1,"warnings":0,"diagnostics":[{"severity":)"));
    CHECK(json.find(R"("line":1,"column":19)") != std::string::npos);
}
