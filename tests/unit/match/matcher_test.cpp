// SPDX-License-Identifier: Apache-2.0
//
// The compiled matcher against the plainest reading of the language: a walk over the tree with
// strings compared as strings. They share the parser and nothing else.
#include <doctest/doctest.h>
#include <fnmatch.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <regex>

#include "analyzer/language/parser.h"
#include "analyzer/match/matcher.h"
#include "tests/unit/match/fake_fields.h"

using namespace tiercel::filter;

namespace {

// ---- the plain reading ----

std::uint32_t field_id(const Operand& operand) {
    for (std::uint32_t id = 0; id < kFakeFields.size(); ++id) {
        if (operand.name == kFakeFields[id].name)
            return id;
    }
    REQUIRE(false);
    return 0;
}

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return text;
}

std::string plain_path(const std::string& path) {
    std::string plain = "/";
    for (const char c : path + '/') {
        if (c != '/' || plain.back() != '/')
            plain += c;
    }
    return plain;
}

bool plain_pmatch(const std::string& path, const std::string& prefix) {
    return plain_path(path).starts_with(plain_path(prefix));
}

std::string unhex(const std::string& hex) {
    std::string bytes;
    for (std::size_t i = 0; i < hex.size(); i += 2)
        bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
    return bytes;
}

bool plain_text(Op op, const std::string& text, const std::string& value) {
    switch (op) {
    case Op::eq:
    case Op::in:
    case Op::intersects: return text == value;
    case Op::ne: return text != value;
    case Op::contains: return text.find(value) != std::string::npos;
    case Op::icontains: return lower(text).find(lower(value)) != std::string::npos;
    case Op::startswith: return text.substr(0, value.size()) == value;
    case Op::endswith:
        return text.size() >= value.size() && text.substr(text.size() - value.size()) == value;
    case Op::bcontains: return text.find(unhex(value)) != std::string::npos;
    case Op::bstartswith: return text.substr(0, value.size() / 2) == unhex(value);
    case Op::glob: return fnmatch(value.c_str(), text.c_str(), 0) == 0;
    case Op::iglob: return fnmatch(value.c_str(), text.c_str(), FNM_CASEFOLD) == 0;
    case Op::regex: return std::regex_match(text, std::regex(value));
    case Op::pmatch: return plain_pmatch(text, value);
    default: REQUIRE(false); return false;
    }
}

template <typename T>
bool plain_order(Op op, T a, T b) {
    switch (op) {
    case Op::eq:
    case Op::in:
    case Op::intersects: return a == b;
    case Op::ne: return a != b;
    case Op::lt: return a < b;
    case Op::le: return a <= b;
    case Op::gt: return a > b;
    case Op::ge: return a >= b;
    default: REQUIRE(false); return false;
    }
}

bool plain_network(const std::string& address, const std::string& network) {
    const std::size_t slash = network.find('/');
    unsigned bytes[4];
    REQUIRE(sscanf(network.c_str(), "%u.%u.%u.%u", &bytes[0], &bytes[1], &bytes[2], &bytes[3]) ==
            4);
    const int bits = slash == std::string::npos ? 32 : std::stoi(network.substr(slash + 1));
    for (int i = 0; i < bits; ++i) {
        const auto have = static_cast<unsigned char>(address[static_cast<std::size_t>(i) / 8]);
        if ((have >> (7 - i % 8) & 1) != (bytes[i / 8] >> (7 - i % 8) & 1))
            return false;
    }
    return true;
}

// One value of the event against one of the condition.
bool plain_pair(const FakeEvent& event, std::uint32_t id, std::size_t index, Op op,
                const std::string& value) {
    switch (kFakeFields[id].type) {
    case ValueType::text:
    case ValueType::bytes:
        return plain_text(op, id == 0 ? event.type : event.texts[id][index], value);
    case ValueType::signed_number:
        return plain_order<long long>(op, event.numbers[id][index], std::stoll(value));
    case ValueType::unsigned_number:
        return plain_order<unsigned long long>(
            op, static_cast<unsigned long long>(event.numbers[id][index]), std::stoull(value));
    case ValueType::boolean:
        return plain_order<bool>(op, event.numbers[id][index] != 0, value == "true");
    case ValueType::real: return plain_order<double>(op, event.real, std::stod(value));
    default: return plain_network(event.texts[id][index], value) == (op != Op::ne);
    }
}

std::size_t plain_count(const FakeEvent& event, std::uint32_t id) {
    if (id == 0 || kFakeFields[id].type == ValueType::real)
        return 1;
    return event.texts[id].size() + event.numbers[id].size();
}

bool plain_check(const FakeEvent& event, const Check& check) {
    const std::uint32_t id = field_id(check.left);
    const std::size_t count = plain_count(event, id);
    if (count == 0)
        return false;
    if (check.op == Op::exists)
        return true;
    std::size_t held = 0;
    for (std::size_t i = 0; i < count; ++i) {
        held += std::any_of(check.values.begin(), check.values.end(), [&](const Literal& value) {
            return plain_pair(event, id, i, check.op, value.text);
        });
    }
    const Plurality plurality = kFakeFields[id].plurality;
    const bool all = (plurality == Plurality::list && check.op == Op::in) ||
                     (plurality == Plurality::endpoints && check.op == Op::ne);
    return all ? held == count : held > 0;
}

bool plain(const FakeEvent& event, const Node& node) {
    const auto one = [&](const Node& child) { return plain(event, child); };
    switch (node.kind) {
    case Node::Kind::all: return std::all_of(node.children.begin(), node.children.end(), one);
    case Node::Kind::any: return std::any_of(node.children.begin(), node.children.end(), one);
    case Node::Kind::negation: return !plain(event, node.children[0]);
    default: return plain_check(event, node.check[0]);
    }
}

// ---- random conditions and events ----

class Dice {
  public:
    explicit Dice(unsigned seed) : random_(seed) {}
    unsigned roll(unsigned sides) { return static_cast<unsigned>(random_() % sides); }
    template <typename T>
    const auto& pick(const T& from) {
        return from[roll(static_cast<unsigned>(std::size(from)))];
    }
    std::string word() {
        std::string text;
        for (unsigned i = roll(5); i > 0; --i)
            text += "ab/A"[roll(4)];
        return text;
    }

  private:
    std::mt19937 random_;
};

const char* const kTypes[] = {"open", "openat", "execve", "close", "bpf", "getpid"};
const char* const kNetworks[] = {"10.0.0.1", "10.0.0.0/8", "10.128.0.0/9", "0.0.0.0/0",
                                 "192.168.1.7/32"};

std::string quoted(const std::string& text) {
    return '"' + text + '"';
}

std::string random_value(Dice& dice, const FakeField& field) {
    if (std::strcmp(field.name, "evt.type") == 0)
        return dice.pick(kTypes);
    switch (field.type) {
    case ValueType::text:
    case ValueType::bytes: return quoted(dice.word());
    case ValueType::boolean: return dice.roll(2) != 0 ? "true" : "false";
    case ValueType::network: return dice.pick(kNetworks);
    case ValueType::signed_number: return std::to_string(static_cast<int>(dice.roll(7)) - 3);
    default: return std::to_string(dice.roll(5));
    }
}

std::string random_list(Dice& dice, const FakeField& field) {
    std::string list = "(";
    for (unsigned i = dice.roll(9); i > 0; --i)
        list += (list.size() > 1 ? ", " : "") + random_value(dice, field);
    return list + ')';
}

std::string random_check(Dice& dice) {
    const FakeField& field = dice.pick(kFakeFields);
    const std::string name = field.name;
    static const std::vector<Op> kText = {
        Op::eq,    Op::ne,    Op::contains, Op::icontains, Op::startswith, Op::endswith, Op::glob,
        Op::iglob, Op::regex, Op::pmatch,   Op::in,        Op::intersects, Op::exists};
    static const std::vector<Op> kBytes = {Op::eq,         Op::ne,        Op::contains,
                                           Op::startswith, Op::endswith,  Op::in,
                                           Op::exists,     Op::bcontains, Op::bstartswith};
    static const std::vector<Op> kNumber = {Op::eq, Op::ne, Op::lt,         Op::le,    Op::gt,
                                            Op::ge, Op::in, Op::intersects, Op::exists};
    static const std::vector<Op> kEqual = {Op::eq, Op::ne, Op::in, Op::exists};
    static const std::vector<Op> kList = {Op::in, Op::intersects, Op::exists};
    const bool type = name == "evt.type";
    const std::vector<Op>& ops =
        field.plurality == Plurality::list                                             ? kList
        : type || field.type == ValueType::boolean || field.type == ValueType::network ? kEqual
        : field.type == ValueType::text                                                ? kText
        : field.type == ValueType::bytes                                               ? kBytes
                                                                                       : kNumber;
    const Op op = dice.pick(ops);
    const std::string start = name + ' ' + std::string(op_name(op)) + ' ';
    if (op == Op::exists)
        return start;
    if (op == Op::pmatch)
        return start + "(\"/" + dice.word() + "\", \"/a/b\")";
    if (takes_list(op))
        return start + random_list(dice, field);
    if (op == Op::bcontains || op == Op::bstartswith)
        return start + (dice.roll(2) != 0 ? "61" : "4162");
    if (op == Op::glob || op == Op::iglob)
        return start + quoted(dice.word() + '*' + dice.word() + (dice.roll(2) != 0 ? "?" : ""));
    if (op == Op::regex)
        return start + quoted(dice.roll(2) != 0 ? "(a|b)*" : "a.*/?");
    return start + random_value(dice, field);
}

std::string random_condition(Dice& dice, unsigned depth) {
    const unsigned roll = depth == 0 ? 0 : dice.roll(6);
    if (roll <= 1)
        return random_check(dice);
    if (roll == 2)
        return "not (" + random_condition(dice, depth - 1) + ')';
    std::string text = '(' + random_condition(dice, depth - 1);
    for (unsigned i = dice.roll(3) + 1; i > 0; --i)
        text += (roll == 3 ? " or " : " and ") + random_condition(dice, depth - 1);
    return text + ')';
}

FakeEvent random_event(Dice& dice) {
    FakeEvent event;
    event.type = dice.pick(kTypes);
    event.real = dice.roll(5);
    for (std::uint32_t id = 1; id < kFakeFields.size(); ++id) {
        const FakeField& field = kFakeFields[id];
        const unsigned most = field.plurality == Plurality::single ? 2 : 4;
        for (unsigned count = dice.roll(most); count > 0; --count) {
            if (field.type == ValueType::text)
                event.texts[id].push_back((dice.roll(2) != 0 ? "/" : "") + dice.word());
            else if (field.type == ValueType::bytes)
                event.texts[id].push_back(dice.word());
            else if (field.type == ValueType::network)
                event.texts[id].push_back({static_cast<char>(dice.roll(2) != 0 ? 10 : 192),
                                           static_cast<char>(dice.roll(2) * 168), 1, 7});
            else if (field.type == ValueType::boolean)
                event.numbers[id].push_back(dice.roll(2));
            else
                event.numbers[id].push_back(static_cast<std::int64_t>(dice.roll(7)) -
                                            (field.type == ValueType::signed_number ? 3 : 0));
        }
    }
    return event;
}

EventKind kind_named(const std::string& name) {
    for (EventKind kind = 0; kind < kind_count(); ++kind) {
        if (kind_name(kind) == name)
            return kind;
    }
    REQUIRE(false);
    return 0;
}

struct Rules {
    std::vector<std::string> conditions;
    std::vector<Node> trees;
    std::shared_ptr<const Program> program;
};

Rules make_rules(std::vector<std::string> conditions) {
    Rules rules;
    Graph graph;
    FakeCatalog catalog;
    NoScope scope;
    Resolver resolver(graph, catalog);
    std::vector<NodeId> roots;
    for (const std::string& condition : conditions) {
        const auto parsed = parse(condition);
        REQUIRE_MESSAGE(std::holds_alternative<Node>(parsed), condition);
        std::vector<Issue> issues;
        rules.trees.push_back(std::get<Node>(parsed));
        roots.push_back(resolver.resolve(rules.trees.back(), scope, issues));
        for (const Issue& issue : issues)
            REQUIRE_MESSAGE(issue.weight == Issue::Weight::remark,
                            condition << ": " << issue.message);
    }
    rules.conditions = std::move(conditions);
    rules.program = build_program(std::move(graph), roots);
    return rules;
}

// Both readings of all rules for one event; counts how many rules matched.
std::size_t compare_readings(const Rules& rules, Matcher& matcher, FakeEvent& event,
                             bool unknown_kind) {
    const EventKind kind = unknown_kind ? kUnknownKind : kind_named(event.type);
    const auto matched = matcher.match(kind, event, true);
    const std::vector<RuleId> got(matched.begin(), matched.end());
    std::vector<RuleId> expected;
    for (RuleId rule = 0; rule < rules.trees.size(); ++rule) {
        if (plain(event, rules.trees[rule]))
            expected.push_back(rule);
    }
    for (RuleId rule = 0; rule < rules.trees.size(); ++rule) {
        const bool a = std::count(got.begin(), got.end(), rule) == 1;
        const bool b = std::count(expected.begin(), expected.end(), rule) == 1;
        CHECK_MESSAGE(a == b, rules.conditions[rule] << " for " << event.type);
    }
    const auto first = matcher.match(kind, event, false);
    CHECK(first.size() == std::min<std::size_t>(1, expected.size()));
    if (!first.empty() && !expected.empty())
        CHECK(first[0] == expected[0]);
    return expected.size();
}

} // namespace

TEST_CASE("the matcher agrees with the plain reading of random rules") {
    std::size_t matched = 0, tried = 0;
    for (unsigned seed = 1; seed <= 150; ++seed) {
        Dice dice(seed);
        std::vector<std::string> conditions;
        for (unsigned i = 0; i < 5 + seed % 60; ++i)
            conditions.push_back(random_condition(dice, 1 + seed % 4));
        const Rules rules = make_rules(conditions);
        Matcher matcher(rules.program);
        for (int i = 0; i < 25; ++i) {
            FakeEvent event = random_event(dice);
            matched += compare_readings(rules, matcher, event, i % 5 == 0);
            tried += rules.trees.size();
        }
    }
    CHECK(matched > tried / 20); // enough conditions match for the comparison to mean something
    CHECK(matched < tried * 19 / 20);
}

TEST_CASE("rules that share their beginning and differ in a value agree, too") {
    Dice dice(7);
    std::vector<std::string> conditions;
    for (int i = 0; i < 300; ++i) {
        const std::string word = quoted("/" + dice.word());
        const char* op =
            dice.pick(std::array{"=", "startswith", "endswith", "contains", "icontains"});
        conditions.push_back("evt.type in (open, openat) and n.signed >= 0 and (t.a " +
                             std::string(op) + ' ' + word + " or t.b in (" + word +
                             ", x)) and not t.any = " + word);
    }
    const Rules rules = make_rules(conditions);
    CHECK(std::any_of(rules.program->blocks.begin(), rules.program->blocks.end(),
                      [](const Block& block) { return !block.switches.empty(); }));
    Matcher matcher(rules.program);
    std::size_t matched = 0;
    for (int i = 0; i < 300; ++i) {
        FakeEvent event = random_event(dice);
        matched += compare_readings(rules, matcher, event, false);
    }
    CHECK(matched > 300);
}

TEST_CASE("each field is fetched once, and none for events no rule is about") {
    const Rules rules =
        make_rules({"evt.type=open and t.a=x and t.b=y", "evt.type=open and t.a=x and t.b=z",
                    "evt.type=open and t.a startswith x and t.b=y"});
    Matcher matcher(rules.program);
    FakeEvent event;
    event.texts[1] = {"x"};
    event.texts[2] = {"z"};
    const auto matched = matcher.match(kind_named("open"), event, true);
    CHECK(std::vector<RuleId>(matched.begin(), matched.end()) == std::vector<RuleId>{1});
    CHECK(event.fetches == 2);
    event.fetches = 0;
    CHECK(matcher.match(kind_named("close"), event, true).empty());
    CHECK(event.fetches == 0);
}

TEST_CASE("what is true of a kind of event decides where a rule is looked at") {
    const auto kinds_of = [](const char* condition) {
        const Rules rules = make_rules({condition});
        std::vector<std::string> names;
        for (EventKind kind = 0; kind < kind_count(); ++kind) {
            if (!rules.program->rules_of_kind[kind].empty() && kind != kUnknownKind)
                names.emplace_back(kind_name(kind));
        }
        std::sort(names.begin(), names.end());
        names.erase(std::unique(names.begin(), names.end()), names.end());
        return names;
    };
    CHECK(kinds_of("evt.type=bpf") == std::vector<std::string>{"bpf"});
    CHECK(kinds_of("evt.type in (open, getpid) and t.a=x") ==
          std::vector<std::string>{"getpid", "open"});
    CHECK(kinds_of("evt.type=open and evt.type=close").empty());
    CHECK(kinds_of("(evt.type=open and t.a=x) or (evt.type=close and t.a=y)") ==
          std::vector<std::string>{"close", "open"});
    const auto others = kinds_of("not evt.type in (open, close)");
    CHECK(others.size() > 200);
    CHECK(std::count(others.begin(), others.end(), "open") == 0);
    CHECK(kinds_of("t.a=x").size() == others.size() + 2);
    CHECK(kinds_of("not (evt.type=open and t.a=x)").size() == others.size() + 2);
}
