// SPDX-License-Identifier: Apache-2.0
// What options, configuration and rules say together, and what is asked of the probe for it.
#include "analyzer/setup/setup.h"

#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <unistd.h>

#include "analyzer/setup/findings.h"
#include "analyzer/setup/interest.h"
#include "kernel/common/abi.h"

using namespace tiercel;
using app::Options;

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

Options rules_from(const File& file, std::vector<std::string> settings = {}) {
    Options options;
    options.rules = {file.path};
    options.settings = std::move(settings);
    return options;
}

} // namespace

TEST_CASE(
    "events without a choice ask for everything, with one for that and what the state needs") {
    Options options;
    options.events = true;
    auto setup = app::read_setup(options);
    REQUIRE(setup);
    for (const event::SyscallInfo& call : event::syscalls())
        if (event::native_number(call) >= 0)
            CHECK(wants(app::interest_of(options, *setup), call.name));
    options.syscalls = {"write", "getppid"};
    app::Interest some = app::interest_of(options, *setup);
    for (const char* call : {"write", "getppid", "close", "openat", "execve", "setpgid"})
        CHECK(wants(some, call));
    for (const char* call : {"read", "getpid"})
        CHECK_FALSE(wants(some, call));
    options.syscalls = {};
    options.filter = "evt.type in (read, getpid)";
    setup = app::read_setup(options);
    REQUIRE(setup);
    some = app::interest_of(options, *setup);
    for (const char* call : {"read", "getpid", "close"})
        CHECK(wants(some, call));
    CHECK_FALSE(wants(some, "write"));
}

TEST_CASE("rules ask for what they look at, and base_syscalls replaces what the state needs") {
    const File file(kRules);
    Options options = rules_from(file);
    auto setup = app::read_setup(options);
    REQUIRE(setup);
    app::Interest interest = app::interest_of(options, *setup);
    for (const char* call : {"openat", "getppid", "close", "execve"})
        CHECK(wants(interest, call));
    CHECK_FALSE(wants(interest, "read"));
    options = rules_from(file, {"base_syscalls.custom_set=[read, \"!getppid\"]"});
    setup = app::read_setup(options);
    REQUIRE(setup);
    interest = app::interest_of(options, *setup);
    for (const char* call : {"openat", "read"})
        CHECK(wants(interest, call));
    for (const char* call : {"getppid", "close", "execve"})
        CHECK_FALSE(wants(interest, call));
    Options by_option = rules_from(file);
    by_option.base_syscalls = {"read", "!getppid"};
    setup = app::read_setup(by_option);
    REQUIRE(setup);
    const app::Interest same = app::interest_of(by_option, *setup);
    for (const char* call : {"openat", "read", "getppid", "close", "execve"})
        CHECK(wants(same, call) == wants(interest, call));
    options.settings.emplace_back("base_syscalls.repair=true");
    setup = app::read_setup(options);
    REQUIRE(setup);
    CHECK(wants(app::interest_of(options, *setup), "close"));
}

TEST_CASE("settings reach the rules and the request") {
    const File file(kRules);
    Options options =
        rules_from(file, {"priority=notice", "engine.kind=kmod", "engine.kmod.buf_size_preset=5",
                          "json_output=true", "append_output=[{extra_output: (n=%evt.num)}]"});
    auto setup = app::read_setup(options);
    REQUIRE(setup);
    CHECK(setup->rules->rules[0].enabled);
    CHECK(setup->rules->rules[0].output == "opened (%fd.name) (n=%evt.num)");
    CHECK_FALSE(setup->rules->rules[1].enabled);
    CHECK_FALSE(wants(app::interest_of(options, *setup), "getppid"));
    CHECK(options.request.driver == wire::Driver::module);
    CHECK(options.request.ring_bytes == 16 << 20);
    CHECK(options.form == Options::Form::json);
    options = rules_from(file, {"rules=[{disable: {rule: \"*\"}}, {enable: {tag: files}}]"});
    setup = app::read_setup(options);
    REQUIRE(setup);
    CHECK(setup->rules->rules[0].enabled);
    CHECK_FALSE(setup->rules->rules[1].enabled);
}

TEST_CASE("rules and --filter ask for the tracepoints of the events that they name") {
    const auto tracepoints = [](const std::string& condition, bool filter) {
        const File file("- rule: R\n  desc: d\n  condition: " + condition +
                        "\n  output: o\n  priority: NOTICE\n  warn_evttypes: false\n");
        Options options;
        if (filter) {
            options.events = true;
            options.filter = condition;
        } else {
            options.rules = {file.path};
        }
        const auto setup = app::read_setup(options);
        REQUIRE(setup);
        wire::Request request;
        request.tracepoints = 0;
        app::interest_of(options, *setup).store(request);
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
    Options options = rules_from(
        file, {"append_output=[{match: {rule: Opens}, extra_output: x, suggested_output: true}]"});
    const auto setup = app::read_setup(options);
    REQUIRE(setup);
    CHECK(setup->rules->rules[0].output ==
          "opened (%fd.name) x container_id=%container.id container_name=%container.name "
          "container_image_repository=%container.image.repository "
          "container_image_tag=%container.image.tag k8s_pod_name=%k8s.pod.name "
          "k8s_ns_name=%k8s.ns.name");
    CHECK(setup->rules->rules[1].output == "asked");
}

TEST_CASE("what is wrong is refused") {
    const File file(kRules);
    Options options = rules_from(file, {"engine.kind=ebpff"});
    CHECK_FALSE(app::read_setup(options));
    options = rules_from(file, {"no_such_key=1"});
    CHECK_FALSE(app::read_setup(options));
    options = {};
    options.settings = {"priority=debug"};
    CHECK_FALSE(app::read_setup(options)); // nothing to do
    options = {};
    options.config = "/nonexistent";
    CHECK_FALSE(app::read_setup(options));
    options = {};
    options.rules = {"/nonexistent"};
    CHECK_FALSE(app::read_setup(options));
    options = {};
    options.events = true;
    options.filter = "evt.typ=open";
    CHECK_FALSE(app::read_setup(options));
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
