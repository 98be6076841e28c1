// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "analyzer/rules/rule_engine.h"
#include "analyzer/rules/sum.h"
#include "tests/unit/rules/test_fields.h"

using namespace tiercel::rules;

namespace {

struct Fixture {
    TestFields fields;
    LoadOptions options;
    Loaded loaded;

    Fixture() { options.fields = &fields; }

    void load(std::vector<std::string> texts) {
        std::vector<std::pair<std::string, std::string>> named;
        for (std::string& text : texts)
            named.emplace_back("file" + std::to_string(named.size()) + ".yaml", std::move(text));
        loaded = load_texts(named, options);
    }
    std::string said(Severity severity) const {
        std::string all;
        for (const Diagnostic& diagnostic : loaded.diagnostics.all()) {
            if (diagnostic.severity == severity)
                all += format(loaded.sources, diagnostic);
        }
        return all;
    }
    std::string errors() const { return said(Severity::error); }
    std::string warnings() const { return said(Severity::warning); }
    std::vector<std::string> matches(std::map<std::string, std::vector<std::string>> event) {
        REQUIRE_MESSAGE(loaded.rules, errors());
        tiercel::filter::Matcher matcher(loaded.rules->program);
        TestEvent test_event(fields, std::move(event));
        std::vector<std::string> names;
        for (const auto rule : matcher.match(test_event.kind(), test_event, true))
            names.push_back(loaded.rules->rules[rule].name);
        return names;
    }
};

using Names = std::vector<std::string>;

std::string rule(const std::string& name, const std::string& condition,
                 const std::string& more = "") {
    return "- rule: " + name + "\n  desc: d\n  condition: " + condition +
           "\n  output: o %proc.name\n  priority: WARNING\n" + more;
}

bool has(const std::string& text, const char* part) {
    return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE_FIXTURE(Fixture, "the stock rule file loads without a warning") {
    const std::filesystem::path path =
        std::filesystem::path(TIERCEL_SOURCE_DIR) / ".." / "shared" / "peer" / "falco_rules.yaml";
    if (!std::filesystem::exists(path)) {
        std::printf("SKIPPED: the stock rule file: %s is not there\n", path.c_str());
        return;
    }
    loaded = load_files({path.string()}, options);
    CHECK(errors() == "");
    CHECK(warnings() == "");
    REQUIRE(loaded.rules);
    CHECK(loaded.rules->rules.size() == 25);
    CHECK(matches({{"evt.type", {"execve"}}, {"proc.name", {"shred"}}}) ==
          Names{"Remove Bulk Data from Disk"});
    CHECK(matches({{"evt.type", {"openat"}},
                   {"evt.is_open_read", {"true"}},
                   {"fd.typechar", {"f"}},
                   {"fd.num", {"3"}},
                   {"fd.name", {"/etc/shadow"}},
                   {"fd.directory", {"/etc"}},
                   {"proc.name", {"evil"}}}) == Names{"Read sensitive file untrusted"});
    CHECK(matches({{"evt.type", {"openat"}}, {"fd.name", {"/etc/shadow"}}, {"proc.name", {"evil"}}})
              .empty());
}

TEST_CASE_FIXTURE(Fixture, "lists and macros are put in wherever they are used") {
    load({"- list: shells\n  items: [bash, more]\n"
          "- list: more\n  items: ['\"(a b)\"', c d, zsh]\n"
          "- macro: shell\n  condition: proc.name in (shells, fish)\n" +
          rule("R", "evt.type=execve and shell and not proc.pname in (shells)")});
    CHECK(errors() == "");
    for (const char* name : {"bash", "(a b)", "c d", "zsh", "fish"})
        CHECK(matches({{"evt.type", {"execve"}}, {"proc.name", {name}}}) == Names{"R"});
    CHECK(matches({{"evt.type", {"execve"}}, {"proc.name", {"shells"}}}).empty());
    CHECK(matches({{"evt.type", {"execve"}}, {"proc.name", {"bash"}}, {"proc.pname", {"zsh"}}})
              .empty());
}

TEST_CASE_FIXTURE(Fixture, "macros see what was defined before they were last touched") {
    load({"- macro: a\n  condition: b\n- macro: b\n  condition: proc.name=x\n" +
          rule("R", "evt.type=open and a")});
    CHECK(has(errors(), "defined only after"));
    load({"- macro: a\n  condition: proc.name=x\n- macro: b\n  condition: a\n"
          "- macro: a\n  condition: b\n" +
          rule("R", "evt.type=open and a")});
    CHECK(has(errors(), "contains itself"));
}

TEST_CASE_FIXTURE(Fixture, "later files append, override and replace") {
    load(
        {"- list: l\n  items: [a]\n- macro: m\n  condition: proc.name in (l)\n" +
             rule("R", "evt.type=open and m", "  tags: [x]\n") + rule("Off", "evt.type=open"),
         "- list: l\n  items: [b]\n  override: {items: append}\n"
         "- macro: m\n  condition: or proc.name=c\n  override: {condition: append}\n"
         "- rule: R\n  condition: and fd.name=f\n  tags: [y]\n  priority: CRITICAL\n  output: new\n"
         "  override: {condition: append, tags: append, priority: replace, output: replace}\n"
         "- rule: Off\n  enabled: false\n  override: {enabled: replace}\n"});
    CHECK(errors() == "");
    CHECK(warnings() == "");
    for (const char* name : {"a", "b", "c"}) {
        CHECK(matches({{"evt.type", {"open"}}, {"proc.name", {name}}, {"fd.name", {"f"}}}) ==
              Names{"R"});
        CHECK(matches({{"evt.type", {"open"}}, {"proc.name", {name}}}).empty());
    }
    CHECK(loaded.rules->rules[0].priority == Priority::critical);
    CHECK(loaded.rules->rules[0].output == "new");
    CHECK(loaded.rules->rules[0].tags == Names{"x", "y"});
    CHECK_FALSE(loaded.rules->rules[1].enabled);
}

TEST_CASE_FIXTURE(Fixture, "the old way of appending works and says that it is old") {
    load({"- list: l\n  items: [a]\n" + rule("R", "evt.type=open and proc.name in (l)"),
          "- list: l\n  append: true\n  items: [b]\n- rule: R\n  append: true\n  condition: and "
          "fd.name=f\n"
          "- rule: R\n  enabled: true\n"});
    CHECK(errors() == "");
    CHECK(loaded.diagnostics.count(Severity::warning) == 3);
    CHECK(matches({{"evt.type", {"open"}}, {"proc.name", {"b"}}, {"fd.name", {"f"}}}) ==
          Names{"R"});
}

TEST_CASE_FIXTURE(Fixture, "exceptions keep a rule from matching") {
    load({rule("R", "evt.type=open or evt.type=close",
               "  exceptions:\n"
               "    - {name: pairs, fields: [proc.name, fd.name], comps: [=, startswith],\n"
               "       values: [[cat, /tmp], ['\"a b\"', /x]]}\n"
               "    - {name: names, fields: proc.name, values: [dog, c d]}\n"
               "    - {name: lists, fields: [proc.name, fd.name], comps: [in, pmatch],\n"
               "       values: [[[p, q], '(/a, /b)']]}\n"
               "    - {name: later, fields: [fd.name, proc.pname]}\n"),
          "- rule: R\n  exceptions: [{name: later, values: [[/l, parent]]}]\n"
          "  override: {exceptions: append}\n"});
    CHECK(errors() == "");
    const auto silent = [&](const char* name, const char* file, const char* parent = "p") {
        return matches({{"evt.type", {"open"}},
                        {"proc.name", {name}},
                        {"fd.name", {file}},
                        {"proc.pname", {parent}}})
            .empty();
    };
    CHECK(silent("cat", "/tmp/x"));
    CHECK_FALSE(silent("cat", "/var"));
    CHECK(silent("a b", "/x"));
    CHECK(silent("dog", "/var"));
    CHECK(silent("c d", "/var"));
    CHECK(silent("q", "/b/c"));
    CHECK_FALSE(silent("q", "/c"));
    CHECK(silent("z", "/l", "parent"));
    CHECK_FALSE(silent("z", "/l"));
}

TEST_CASE_FIXTURE(Fixture, "every mistake is reported, at its place, and nothing is loaded") {
    load({"- macro: bad\n  condition: >\n    proc.name = x and\n    proc.nmae = y\n" +
          rule("One", "evt.type=open and bad and fd.nam=x") +
          rule("Two", "evt.type=opne or (proc.name=x") +
          rule("Three", "evt.type in (opne) and bad") +
          rule("Four", "evt.type=open and (proc.name=x") +
          "- rule: Five\n  condition: evt.type=open\n  output: o\n  priority: LOUD\n"});
    CHECK_FALSE(loaded.rules);
    const std::string said = errors();
    CHECK(has(said, "file0.yaml:4:5: error: macro 'bad': unknown field 'proc.nmae'"));
    CHECK(has(said, "    proc.nmae = y\n      ^~~~~~~~~\n  did you mean 'proc.name'?"));
    CHECK(has(said, "rule 'One': unknown field 'fd.nam'"));
    CHECK(has(said, "rule 'Three': unknown event type 'opne'"));
    CHECK(has(said, "did you mean 'open'?"));
    CHECK(has(said, "rule 'Four': expected ')'"));
    CHECK(has(said, "rule 'Five': no such priority: 'LOUD'"));
    CHECK(has(said, "rule 'Five': has no 'desc'"));
    // One mistake in a macro is one complaint, although two rules use it.
    CHECK(said.find("proc.nmae'") == said.rfind("proc.nmae'"));
}

TEST_CASE_FIXTURE(Fixture, "rules may ask to be skipped where a field is unknown") {
    load({rule("Skipped", "evt.type=open and new.field=x", "  skip-if-unknown-filter: true\n") +
          rule("Kept", "evt.type=open")});
    CHECK(errors() == "");
    CHECK(has(warnings(), "rule 'Skipped': skipped"));
    CHECK(loaded.rules->rules.size() == 1);
    load({rule("Wrong", "evt.type=open and fd.num=x", "  skip-if-unknown-filter: true\n")});
    CHECK(has(errors(), "whole number"));
}

TEST_CASE_FIXTURE(Fixture, "requirements are checked") {
    load({"- required_engine_version: 0.57.0\n- required_plugin_versions: [{name: container, "
          "version: 0.4.0}]\n"});
    CHECK(errors() == "");
    load({"- required_engine_version: 15\n"});
    CHECK(errors() == "");
    load({"- required_engine_version: 0.999.0\n"});
    CHECK(has(errors(), "these rules need engine 0.999.0"));
    load({"- required_engine_version: 1.0.0\n"});
    CHECK(has(errors(), "these rules need engine"));
    load({"- required_engine_version: soon\n"});
    CHECK(has(errors(), "is no version"));
}

TEST_CASE_FIXTURE(Fixture, "odd files are complained about and never crash") {
    for (const char* text :
         {"x: [", "- rule: [a]\n", "just words\n", "- [a]\n", "- list: l\n", "- macro: m\n",
          "- list: l\n  items: x\n", "- rule: R\n", "- rule: R\n  enabled: perhaps\n",
          "- rule: R\n  append: true\n", "- rule: R\n  override: x\n",
          "- rule: R\n  output: x\n  override: {output: delete}\n",
          "- rule: R\n  output: x\n  override: {output: append}\n",
          "- list: l\n  append: true\n  items: [x]\n", "\t- x\n",
          "- list: l\n  items: ['\"x']\n"
          "- rule: R\n  desc: d\n  output: o\n  priority: INFO\n  condition: evt.type=open and "
          "proc.name in (l)\n"}) {
        CAPTURE(text);
        load({text});
        CHECK(loaded.diagnostics.count(Severity::error) > 0);
        CHECK_FALSE(loaded.rules);
    }
    for (const char* text : {"", "---\n", "# nothing\n", "- {}\n", "- unknown: item\n"}) {
        CAPTURE(text);
        load({text});
        CHECK(errors() == "");
    }
    load({rule("R", "evt.type=open", "  priorty: x\n")});
    CHECK(has(warnings(), "unknown key 'priorty'"));
    CHECK(has(warnings(), "did you mean 'priority'?"));
}

TEST_CASE_FIXTURE(Fixture, "names that no condition can use are warned about") {
    load({"- list: 'a b'\n  items: [x]\n- macro: a-b\n  condition: proc.name = x\n" +
          rule("R", "evt.type=open")});
    CHECK(errors() == "");
    CHECK(has(warnings(), "list 'a b': no condition can use a list of this name"));
    CHECK(has(warnings(), "macro 'a-b': no condition can use a macro of this name"));
}

TEST_CASE_FIXTURE(Fixture, "exceptions take every operator, and names twice") {
    load({rule("R", "evt.type=open",
               "  exceptions:\n"
               "    - {name: e, fields: fd.name, comps: startswith, values: [/a, /b]}\n"
               "    - {name: e, fields: proc.name, comps: '!=', values: [x]}\n"
               "    - {name: f, fields: [fd.name], comps: [glob], values: [['*.log']]}\n")});
    CHECK(errors() == "");
    CHECK(has(warnings(), "has two exceptions named 'e'"));
    const auto silent = [&](const char* name, const char* file) {
        return matches({{"evt.type", {"open"}}, {"proc.name", {name}}, {"fd.name", {file}}})
            .empty();
    };
    CHECK_FALSE(silent("x", "/c"));
    CHECK(silent("x", "/b/c"));
    CHECK(silent("y", "/c"));
    CHECK(silent("x", "/c.log"));
    load({rule("R", "evt.type=open", "  exceptions: [{name: e, fields: [no.field]}]\n")});
    CHECK(has(errors(), "exception 'e': unknown field 'no.field'"));
    load({rule("R", "evt.type=open",
               "  exceptions: [{name: e, fields: fd.name, comps: near, values: [x]}]\n")});
    CHECK(has(errors(), "unknown comparison operator"));
}

TEST_CASE_FIXTURE(Fixture, "the reason why a rule never matches is the true one") {
    load({"- list: none\n  items: []\n- macro: m\n  condition: proc.name in (none)\n" +
          rule("Empty", "evt.type=open and proc.name in (none)") +
          rule("Macro", "evt.type=open and m") + rule("Types", "evt.type=open and evt.type=close") +
          rule("Enter", "evt.type=open and evt.dir = >")});
    CHECK(errors() == "");
    CHECK(has(warnings(), "rule 'Empty': can never match: a list is empty"));
    CHECK(has(warnings(), "rule 'Macro': can never match: a list is empty"));
    CHECK(has(warnings(), "rule 'Types': can never match: its event types exclude each other"));
    CHECK(has(warnings(), "rule 'Enter': there are only exit events"));
    load({"- list: none\n  items: []\n" + rule("R", "evt.type=open and not proc.name in (none)")});
    CHECK(warnings() == "");
}

// `count` lists: l0 has `items`, and each other has the one before it twice.
std::string doubling_lists(const std::string& items, int count) {
    std::string text = "- list: l0\n  items: " + items + "\n";
    for (int i = 1; i < count; ++i) {
        const std::string before = "l" + std::to_string(i - 1);
        text += "- list: l" + std::to_string(i) + "\n  items: [" + before + ", " + before + "]\n";
    }
    return text;
}

TEST_CASE_FIXTURE(Fixture, "rules from strangers are bounded") {
    load({doubling_lists("[a, b]", 40) + rule("R", "proc.name in (l39)")});
    CHECK(has(errors(), "values when the lists within it are expanded"));

    load({"- list: a\n  items: [b]\n- list: b\n  items: [a]\n" +
          rule("R", "evt.type=open and proc.name in (a)")});
    CHECK(has(errors(), "list 'b': contains itself, by way of 'a'"));

    std::string condition = "proc.name=a";
    for (int i = 0; i < 60'000; ++i)
        condition += " or proc.name=a" + std::to_string(i);
    load({rule("R", condition)});
    CHECK(has(errors(), "the condition has more than 50000 comparisons"));

    std::string macros;
    for (int i = 0; i < 6'000; ++i) // in two files, which count together
        macros += "- macro: m" + std::to_string(i) + "\n  condition: evt.num>0\n";
    load({macros, macros, rule("R", "evt.type=open")});
    CHECK(has(errors(), "there are more than 10000 rules, macros and lists"));
    load({macros, rule("R", "evt.type=open")});
    CHECK(errors() == "");

    std::string paths = "/a";
    for (int i = 0; i < 100'000; ++i)
        paths += ",/a" + std::to_string(i);
    load({rule("R", "evt.type=open and fd.name pmatch (" + paths + ")")});
    CHECK(errors() == "");
    CHECK(matches({{"evt.type", {"open"}}, {"fd.name", {"/a99999/x"}}}) == Names{"R"});
    CHECK(matches({{"evt.type", {"open"}}, {"fd.name", {"/b"}}}).empty());
}

TEST_CASE_FIXTURE(Fixture, "what a file expands to is bounded, whatever names it uses") {
    std::string text = "- macro: m0\n  condition: proc.name = x\n";
    for (int i = 1; i < 100; ++i)
        text +=
            "- macro: m" + std::to_string(i) + "\n  condition: m" + std::to_string(i - 1) + "\n";
    load({text + rule("r", "evt.type = open and m63")});
    CHECK(loaded.rules);
    load({text + rule("r", "evt.type = open and m99")});
    CHECK(has(errors(), "macros are nested more than 64 deep"));
    load({doubling_lists("[]", 40) + rule("r", "evt.type = open and not proc.name in (l39)")});
    CHECK(loaded.rules);
    text = doubling_lists("[a]", 19);
    std::string condition = "evt.type = open";
    for (const std::string list : {"s", "t", "u", "v", "w", "x", "y", "z"}) {
        text += "- list: " + list + "\n  items: [l18]\n";
        condition += " and proc.name in (" + list + ")";
    }
    load({text + rule("r", condition)});
    CHECK(has(errors(), "items together, when the lists within them are expanded"));
    text = "- list: l0\n  items: [a]\n";
    for (int i = 1; i < 100; ++i)
        text += "- list: l" + std::to_string(i) + "\n  items: [l" + std::to_string(i - 1) + "]\n";
    for (const std::string last : {"(l63)", "(l10, l20, l30, l40, l50, l60, l63)"}) {
        load({text + rule("r", "evt.type = open and proc.name in " + last)});
        CHECK(loaded.rules);
    }
    for (const std::string last : {"(l64)", "(l10, l40, l64)", "(l99)"}) {
        load({text + rule("r", "evt.type = open and proc.name in " + last)});
        CHECK(has(errors(), "is nested more than 64 deep in other lists"));
    }
    load({"- list: l\n  items: [&a " + std::string(1'000'000, 'x') + ", *a, *a, *a, *a]\n"});
    CHECK(has(errors(), "aliases repeat more than 4 MiB of text"));
    load({rule(std::string(2'000, 'n'), "evt.type = open")});
    CHECK(has(errors(), "the name is longer than 1000 bytes"));
    CHECK(errors().size() < 2'000);
}

TEST_CASE_FIXTURE(Fixture, "what a message repeats of a file steers no terminal") {
    load({rule("\"a\\e[2J\\u202e\"", "evt.type = open and proc.name = (\xe2\x80\xae\xc2\x9b")});
    CHECK(has(errors(), "rule 'a\\x1b[2J\\u202e'"));
    CHECK(has(errors(), "\\u202e\\u009b"));
    CHECK(errors().find('\x1b') == std::string::npos);
    CHECK(errors().find("\xc2\x9b") == std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "a place stands below its character, beside text that is not ASCII") {
    load({rule("r", "proc.name = \xc3\xb6\xc3\xb6 and proc.nane = b")});
    const std::string shown = errors();
    const std::size_t line = shown.find("  condition:"), end = shown.find('\n', line),
                      below = shown.find('^', end);
    REQUIRE(below != std::string::npos);
    // The line begins two columns earlier, and two letters have a byte more than columns.
    CHECK(below - end - 1 == shown.find("proc.nane", line) - (line - 2) - 2);
}

TEST_CASE_FIXTURE(Fixture, "rules for everything are warned about, unless they ask not to be") {
    load({rule("Wide", "proc.name=x") + rule("Meant", "proc.name=x", "  warn_evttypes: false\n") +
          rule("Never", "evt.type=open and evt.type=close")});
    CHECK(has(warnings(), "rule 'Wide': matches too many event types"));
    CHECK_FALSE(has(warnings(), "Meant"));
    CHECK(has(warnings(), "rule 'Never': can never match"));
    CHECK(loaded.rules->interest.syscalls.size() == tiercel::event::syscalls().size());
}

TEST_CASE_FIXTURE(Fixture, "interest is what enabled rules can match") {
    load({rule("A", "evt.type in (open, bpf) and proc.name=x") +
          rule("B", "evt.type=close", "  enabled: false\n")});
    Names names;
    for (const auto* call : loaded.rules->interest.syscalls)
        names.emplace_back(call->name);
    CHECK(std::count(names.begin(), names.end(), "open") == 1);
    CHECK(std::count(names.begin(), names.end(), "bpf") == 1);
    CHECK(std::count(names.begin(), names.end(), "close") == 0);
    CHECK(names.size() == 2);
}

TEST_CASE_FIXTURE(Fixture, "rules are chosen by name, tag and priority; outputs are added to") {
    options.threshold = Priority::warning;
    options.selections = {{false, "*", ""}, {true, "", "keep"}, {false, "No*", ""}};
    options.additions = {{"", {"keep"}, "", "extra %fd.name", {{"field", "%proc.pid"}}}};
    load({rule("Yes", "evt.type=open", "  tags: [keep]\n") +
          rule("Nope", "evt.type=open", "  tags: [keep]\n") + rule("Untagged", "evt.type=open") +
          "- rule: Quiet\n  desc: d\n  condition: evt.type=open\n  output: o\n  priority: notice\n "
          " tags: [keep]\n"});
    CHECK(matches({{"evt.type", {"open"}}}) == Names{"Yes"});
    CHECK(loaded.rules->rules[0].output == "o %proc.name extra %fd.name");
    CHECK(loaded.rules->rules[0].extra_fields.size() == 1);
    CHECK(loaded.rules->rules[2].output == "o %proc.name");
}

TEST_CASE_FIXTURE(Fixture, "outputs are checked in place") {
    options.check_output = [](const std::string& format) -> std::optional<OutputProblem> {
        const std::size_t at = format.find("%bad");
        if (at == std::string::npos)
            return std::nullopt;
        return OutputProblem{at, 4, "unknown field in the output", "", true};
    };
    load({rule("Good", "evt.type=open") + "- rule: Bad\n  desc: d\n  condition: evt.type=open\n  "
                                          "output: \"x %bad y\"\n  priority: INFO\n"});
    CHECK(has(errors(), "  output: \"x %bad y\"\n               ^~~~\n"));
}

TEST_CASE_FIXTURE(Fixture, "directories are read in the order of their names") {
    const std::filesystem::path directory =
        std::filesystem::temp_directory_path() / ("tiercel-rules-" + std::to_string(getpid()));
    std::filesystem::create_directories(directory);
    std::ofstream(directory / "20-b.yaml")
        << "- list: l\n  items: [b]\n  override: {items: append}\n";
    std::ofstream(directory / "10-a.yml")
        << "- list: l\n  items: [a]\n" + rule("R", "evt.type=open and proc.name in (l)");
    std::ofstream(directory / "00-no.txt") << "this: is [no rule file";
    loaded = load_files({directory.string()}, options);
    std::filesystem::remove_all(directory);
    CHECK(errors() == "");
    CHECK(matches({{"evt.type", {"open"}}, {"proc.name", {"b"}}}) == Names{"R"});
    loaded = load_files({directory.string() + "/gone.yaml"}, options);
    CHECK(has(errors(), "gone.yaml: error: cannot read it: No such file"));
}

// FIPS 180-2, appendix B.1: the sum of "abc".
TEST_CASE("the rules' sum is that of the files one after the other") {
    constexpr Sha256 kOfAbc = {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40,
                               0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17,
                               0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad};
    Sources sources;
    sources.add("10-a.yaml", "a");
    sources.add("20-empty.yaml", "");
    sources.add("30-b.yaml", "bc");
    CHECK(sum_of(sources) == kOfAbc);
    sources.add("40-c.yaml", "\n");
    CHECK(sum_of(sources) != kOfAbc);
}
