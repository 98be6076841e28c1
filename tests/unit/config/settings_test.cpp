// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <set>

#include "analyzer/config/keys.h"
#include "analyzer/config/settings.h"

using namespace tiercel::config;

namespace {

struct Read {
    Settings settings;
    std::vector<SettingsProblem> problems;
    explicit Read(std::string_view text) { read_settings(text, settings, problems); }
    Read& option(std::string_view text) {
        read_option(text, settings, problems);
        return *this;
    }
};

} // namespace

TEST_CASE("falco's keys mean what they mean there") {
    const Read read(
        "rules_files: [/a, /b]\npriority: warning\nrule_matching: all\njson_output: true\n"
        "json_include_tags_property: false\nfile_output:\n  enabled: true\n  filename: /x\n"
        "outputs_queue: {capacity: 7}\nengine: {kind: modern_ebpf, modern_ebpf: {buf_size_preset: "
        "5}}\n"
        "rules:\n  - disable: {rule: '*'}\n  - enable: {tag: network}\n"
        "append_output:\n  - match: {source: syscall, tags: [t]}\n    extra_output: x\n"
        "    extra_fields: [proc.pid, {home: '%proc.env[HOME]'}]\n");
    REQUIRE(read.problems.empty());
    const Settings& s = read.settings;
    CHECK(s.rules_files == std::vector<std::string>{"/a", "/b"});
    CHECK(s.priority == Priority::warning);
    CHECK(s.match_all);
    CHECK(s.json_output);
    CHECK_FALSE(s.json_include_tags);
    CHECK(s.output(Output::file).enabled);
    CHECK(s.output(Output::file).target == "/x");
    CHECK(s.queue_capacity == 7);
    CHECK(s.driver == "modern_ebpf");
    CHECK(s.modern.buffer_preset == 5);
    REQUIRE(s.rules.size() == 2);
    CHECK_FALSE(s.rules[0].enable);
    CHECK(s.rules[1].tag == "network");
    REQUIRE(s.append_output.size() == 1);
    CHECK(s.append_output[0].extra_fields[0].second == "%proc.pid");
    CHECK(s.append_output[0].extra_fields[1].first == "home");
}

TEST_CASE("each driver has keys of its own, whichever comes last in the file") {
    const Read read("engine: {kind: kmod, kmod: {buf_size_preset: 8, drop_failed_exit: true},\n"
                    "         ebpf: {buf_size_preset: 6}, modern_ebpf: {drop_failed_exit: false}}");
    REQUIRE(read.problems.empty());
    CHECK(read.settings.kmod.buffer_preset == 8);
    CHECK(read.settings.ebpf.buffer_preset == 6);
    CHECK(read.settings.modern.buffer_preset == 0);
    CHECK(read.settings.kmod.drop_failed);
    CHECK_FALSE(read.settings.modern.drop_failed);
    CHECK(Read("engine: {kmod: {buf_size_preset: 11}}").problems.size() == 1);
    CHECK(Read("engine: {kmod: {drop_failed_exit: perhaps}}").problems.size() == 1);
}

TEST_CASE("options come after the file and are read alike") {
    Read read("json_output: false\n");
    read.option("json_output=true")
        .option("file_output.filename=/tmp/a=b")
        .option("priority=error");
    CHECK(read.problems.empty());
    CHECK(read.settings.json_output);
    CHECK(read.settings.output(Output::file).target == "/tmp/a=b");
    CHECK(read.settings.priority == Priority::error);
    read.option("no_such=1").option("nothing").option("json_output=perhaps").option("priority=[");
    CHECK(read.problems.size() == 4);
}

TEST_CASE("unknown keys are reported with their line, meaningless ones as such") {
    const Read read("json_output: true\njson_outptu: true\nstdout_output:\n  enabeld: "
                    "true\nwebserver:\n  enabled: true\n");
    REQUIRE(read.problems.size() == 3);
    CHECK(read.problems[0].line == 2);
    CHECK(read.problems[0].error);
    CHECK(read.problems[0].hint.find("json_output") != std::string::npos);
    CHECK(read.problems[1].line == 4);
    CHECK(read.problems[1].message.find("stdout_output.enabeld") != std::string::npos);
    CHECK_FALSE(read.problems[2].error);
    CHECK(Read("a: [").problems.size() == 1);
    CHECK(Read("- a\n").problems.size() == 1);
    CHECK(Read("").problems.empty());
}

TEST_CASE("nothing within a sequence's entries is passed over either") {
    for (const char* wrong :
         {"append_output:\n  - extra_outptu: x\n", "append_output:\n  - match: {rul: x}\n",
          "append_output:\n  - suggested_output: perhaps\n",
          "append_output:\n  - match: {tags: {a: b}}\n", "rules:\n  - disable: {rul: x}\n",
          "rules:\n  - disable: {rule: x}\n    enabel: {rule: y}\n"}) {
        CAPTURE(wrong);
        const Read read(wrong);
        REQUIRE(read.problems.size() == 1);
        CHECK(read.problems[0].error);
    }
    CHECK(Read("append_output:\n  - extra_output: x\n  - extra_outptu: x\n")
              .problems[0]
              .message.find("'extra_outptu' in line 3") != std::string::npos);
    CHECK(Read("append_output: [{suggested_output: true}]")
              .settings.append_output[0]
              .suggested_fields);
}

TEST_CASE("static fields are a mapping of names to texts") {
    const Read read("static_fields: {site: north, load: 9%}");
    CHECK(read.problems.empty());
    REQUIRE(read.settings.static_fields.size() == 2);
    CHECK(read.settings.static_fields[1] == std::pair<std::string, std::string>("load", "9%%"));
    CHECK(Read("static_fields: [a]").problems.size() == 1);
    CHECK(Read("static_fields: {a: [b]}").problems.size() == 1);
}

TEST_CASE("an unbounded queue is not to be had") {
    CHECK(Read("outputs_queue: {capacity: 0}").settings.queue_capacity ==
          Settings().queue_capacity);
}

TEST_CASE("an option's value is a text, unless it begins as YAML does, and [] appends") {
    Read read("rules_files: [/a]\n");
    read.option("rules[].disable.rule=*")
        .option("rules[].enable.tag=net: work")
        .option(R"(append_output[]={"match": {"source": "syscall"}, "extra_output": "x"})")
        .option("rules_files[]=/b")
        .option("hostname=a: b");
    REQUIRE(read.problems.empty());
    REQUIRE(read.settings.rules.size() == 2);
    CHECK_FALSE(read.settings.rules[0].enable);
    CHECK(read.settings.rules[0].rule == "*");
    CHECK(read.settings.rules[1].tag == "net: work");
    REQUIRE(read.settings.append_output.size() == 1);
    CHECK(read.settings.append_output[0].extra_output == "x");
    CHECK(read.settings.rules_files == std::vector<std::string>{"/a", "/b"});
    CHECK(read.settings.hostname == "a: b");
    read.option("rules[].disabel.rule=*").option("rulse[].disable.rule=*");
    CHECK(read.problems.size() == 2);
}

TEST_CASE("variables of the environment are expanded in values") {
    setenv("TIERCEL_TEST_HOST", "node-7", 1);
    unsetenv("TIERCEL_TEST_NONE");
    const auto host = [](const char* value) {
        return Read("hostname: " + std::string(value)).settings.hostname;
    };
    CHECK(host("${TIERCEL_TEST_HOST}") == "node-7");
    CHECK(host("a-${TIERCEL_TEST_HOST}-b${TIERCEL_TEST_NONE}") == "a-node-7-b");
    CHECK(host("$${TIERCEL_TEST_HOST}") == "${TIERCEL_TEST_HOST}");
    CHECK(host("'${TIERCEL_TEST_HOST'") == "${TIERCEL_TEST_HOST");
    CHECK(Read("rules_files: ['${TIERCEL_TEST_HOST}/x']").settings.rules_files ==
          std::vector<std::string>{"node-7/x"});
}

TEST_CASE("each key has one row with a document, and its default is the one of Settings") {
    std::set<std::string> names;
    for (const Key& key : keys()) {
        CAPTURE(key.name);
        CHECK((names.insert(key.name).second || key.standing == Key::Standing::ignored));
        CHECK(key.doc.ends_with('.'));
        if (!key.take || key.preset.empty() || key.name == "engine.kind")
            continue;
        Settings settings;
        std::vector<SettingsProblem> problems;
        read_option(key.name + '=' + std::string(key.preset), settings, problems);
        CHECK(problems.empty());
    }
    CHECK(names.size() > 60);
}

TEST_CASE("the falco.yaml of each release from 0.40 to 0.44 is accepted") {
    std::ifstream keys(SOURCE_TREE "/tests/unit/config/falco_keys.txt");
    unsigned count = 0;
    for (std::string line; std::getline(keys, line);) {
        if (line.empty() || line[0] == '#')
            continue;
        CAPTURE(line);
        Read read("");
        read.option(std::string_view(line).substr(10)); // after both releases
        for (const SettingsProblem& problem : read.problems)
            CHECK_MESSAGE(!problem.error, problem.message);
        ++count;
    }
    CHECK(count > 90);
}

TEST_CASE("outputs and interfaces that do not exist here are an error if they are enabled") {
    CHECK(Read("grpc_output: {enabled: false}").problems.empty());
    for (const char* text :
         {"grpc_output: {enabled: true}", "grpc:\n  enabled: true\n", "load_plugins: [json]"}) {
        CAPTURE(text);
        const Read read(text);
        REQUIRE(read.problems.size() == 1);
        CHECK(read.problems[0].error);
    }
    CHECK(Read("load_plugins: [container]").problems.empty());
    Read option("");
    CHECK(option.option("grpc_output.enabled=true").problems.size() == 1);
}

TEST_CASE("http_output goes through the courier, which reads its other keys") {
    const Read off("http_output: {enabled: false, url: x}");
    CHECK(off.problems.empty());
    CHECK_FALSE(off.settings.output(Output::courier).enabled);
    const Read on("http_output: {enabled: true, url: 'https://x/', insecure: true}");
    CHECK(on.problems.empty());
    CHECK(on.settings.output(Output::courier).enabled);
    const Read both("courier_output: {enabled: true}\nhttp_output: {enabled: false}\n");
    CHECK(both.settings.output(Output::courier).enabled);
}

TEST_CASE("outputs.fold names what folded alerts have in common, and the window") {
    const Read read("outputs: {fold: {by: [rule, proc.name], window: 2s}}");
    CHECK(read.problems.empty());
    CHECK(read.settings.fold_by == std::vector<std::string>{"rule", "proc.name"});
    CHECK(read.settings.fold_window_ms == 2000);
    for (const char* wrong : {"0s", "10", "3601s", "1h", "''", "-1s"})
        CHECK(Read("outputs: {fold: {window: " + std::string(wrong) + "}}").problems.size() == 1);
}

TEST_CASE("the drops of falco.yaml mean what they mean there") {
    const Read read("syscall_event_drops: {threshold: 0.25, actions: [alert, exit], rate: 1.5, "
                    "max_burst: 3}\noutputs: {rate: 2, max_burst: 9}\n");
    REQUIRE(read.problems.empty());
    CHECK(read.settings.drop_threshold == 0.25);
    CHECK_FALSE(read.settings.drop_actions.log);
    CHECK(read.settings.drop_actions.exit);
    CHECK(read.settings.drop_rate == 1.5);
    CHECK(read.settings.drop_burst == 3);
    CHECK(read.settings.output_rate == 2);
    CHECK(read.settings.output_burst == 9);
    for (const char* wrong :
         {"syscall_event_drops: {threshold: 1.5}", "syscall_event_drops: {threshold: x}",
          "syscall_event_drops: {actions: [shout]}", "health: {max_drop_share: -1}",
          "memory_limit: 3M", "memory_limit: 2048G", "memory_limit: [64M]"})
        CHECK(Read(wrong).problems.size() == 1);
}

TEST_CASE("documents are bounded, whatever their aliases say") {
    std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
    for (int i = 1; i < 12; ++i) {
        bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
        for (int k = 0; k < 10; ++k)
            bomb += (k > 0 ? ", *a" : "*a") + std::to_string(i - 1);
        bomb += "]\n";
    }
    CHECK(std::holds_alternative<DocumentError>(read_document(bomb)));
    CHECK(std::holds_alternative<DocumentError>(read_document(std::string(10'000, '['))));
}
