// SPDX-License-Identifier: Apache-2.0
//
// Transformers, quantifiers, values by the type of their field, and the mistakes that the resolver
// reports.
#include <doctest/doctest.h>

#include <algorithm>

#include "analyzer/language/parser.h"
#include "analyzer/match/matcher.h"
#include "analyzer/match/resolver.h"
#include "tests/unit/match/fake_fields.h"

using namespace tiercel::filter;

namespace {

// The number of conditions that hold for an open event; matched twice, so that buffers are reused.
std::size_t matched_by(FakeEvent& event, const std::vector<const char*>& conditions) {
    Graph graph;
    FakeCatalog catalog;
    NoScope scope;
    std::vector<NodeId> roots;
    for (const char* condition : conditions) {
        std::vector<Issue> issues;
        const auto parsed = parse(condition);
        CAPTURE(condition);
        REQUIRE(std::holds_alternative<Node>(parsed));
        roots.push_back(Resolver(graph, catalog).resolve(std::get<Node>(parsed), scope, issues));
        // A list may be empty; the resolver remarks on that.
        CHECK(std::ranges::all_of(
            issues, [](const Issue& issue) { return issue.weight == Issue::Weight::remark; }));
    }
    Matcher matcher(build_program(std::move(graph), roots));
    matcher.match(tiercel::event::SYSCALL_OPEN_X, event, true);
    return matcher.match(tiercel::event::SYSCALL_OPEN_X, event, true).size();
}

} // namespace

TEST_CASE("transformers and comparisons between fields") {
    const auto holds = [](const char* condition, FakeEvent event) {
        return matched_by(event, {condition}) == 1;
    };
    FakeEvent event;
    event.texts[1] = {"/Bin/Cat"};
    event.texts[2] = {"/bin/cat"};
    event.texts[3] = {"x", "yy", "zzz"};
    event.texts[4] = {"Ab", "cD"};
    event.numbers[5] = {-2};
    event.numbers[6] = {7};
    event.texts[9] = {"L2Jpbi9jYXQ="};
    event.texts[10] = {std::string("\x0a\x00\x00\x01", 4)};
    CHECK(holds("tolower(t.a) = /bin/cat", event));
    CHECK(holds("tolower(t.a) = val(t.b)", event));
    CHECK_FALSE(holds("t.a = val(t.b)", event));
    CHECK(holds("toupper(t.a) = toupper(t.b)", event));
    CHECK(holds("basename(t.a) = Cat", event));
    CHECK(holds("tolower(basename(t.a)) in (dog, cat)", event));
    CHECK(holds("len(t.a) = 8", event));
    CHECK(holds("len(t.list) = 3", event));
    CHECK(holds("tolower(t.any) = cd", event));
    CHECK(holds("b64(y.bytes) = /bin/cat", event));
    CHECK_FALSE(holds("b64(t.a) exists", [] {
        FakeEvent bad;
        bad.texts[1] = {"!"};
        return bad;
    }()));
    CHECK(holds("join(\"->\", t.list) = \"x->yy->zzz\"", event));
    CHECK(holds("join(\",\", t.list) = \"x,yy,zzz\"", event));
    CHECK(holds("concat(i.net, \":\", n.unsigned) in (\"10.0.0.1:7\")", event));
    CHECK_FALSE(holds("concat(t.a, n.bool) exists", event)); // n.bool has no value
    CHECK(holds("n.signed < 0 and n.signed != val(n.signed) or n.signed = val(n.signed)", event));
    CHECK(holds("t.b in val(t.b)", event));
    CHECK(holds("t.list intersects val(t.list)", event));
    CHECK(holds("t.b in val(t.list) or t.b glob val(t.b)", event));
    CHECK_FALSE(holds("t.b in val(t.list)", event));
    CHECK(holds("join(\"-\", (t.b, \"x\", n.unsigned, n.signed)) = /bin/cat-x-7--2", event));
    CHECK(holds("join(\"-\", ()) = \"\"", event));
    CHECK(holds("concat(\"a\", t.b, \"b\") = a/bin/catb", event));
}

TEST_CASE("getopt finds the options of arguments") {
    FakeEvent event;
    event.texts[3] = {"-n", "rest"};
    const std::vector<const char*> conditions = {
        "getopt((\"-l\", \"-p\", \"80\", \"-e\", \"/x\"), \"lp:e:\") intersects (\"80\")",
        "getopt((\"-l\", \"-p\", \"80\"), \"lp:\")[p] = 80",
        "getopt((\"-l\"), \"lp:\")[l] = l",
        "getopt((\"-x\", \"-n\"), \"n\") in (\"?\", n)",
        "getopt((\"--exec\", \"-nt\", \"v\"), \"nt:\") in (n, t, v)",
        "getopt((\"-t\", \"a\", \"-tb\"), \"t:\")[t] = b",
        "getopt((\"-t\"), \"t:\")[t] = \"\"",
        "not getopt((\"-n\", \"f\", \"-t\"), \"nt\") intersects (t)",
        "not getopt((\"--\", \"-n\"), \"n\") intersects (n)",
        "not getopt((\"-n\"), \"nt:\")[t] exists",
        "not getopt((\"-:\"), \"n:\") intersects (\":\")",
        "getopt(t.list, \"n\") intersects (n)",
    };
    CHECK(matched_by(event, conditions) == conditions.size());
}

TEST_CASE("anyof, allof and oneof combine a comparison with each value") {
    struct Row {
        const char* condition;
        bool holds;
    };
    static constexpr Row kRows[] = {
        {"t.a = anyof (bash, myexe)", true},
        {"t.a = anyof (bash, sh)", false},
        {"t.a != anyof (myexe, bash)", true},
        {"t.a = allof (myexe)", true},
        {"t.a = allof (myexe, bash)", false},
        {"t.a != allof (bash, sh)", true},
        {"t.a contains allof (my, exe)", true},
        {"t.a contains allof (my, sh)", false},
        {"t.a contains oneof (my, exe)", false},
        {"t.a contains oneof (myex, bash, sh)", true},
        {"t.a contains oneof (a, b)", false},
        {"t.a glob anyof (my*, bash)", true},
        {"t.a regex allof (my.*, .*exe)", true},
        {"t.a = oneof (myexe, bash, x, y, z)", true},
        {"t.a = oneof ()", false},
        {"t.a != allof ()", false},
        {"t.a = \"anyof\"", false},
        {"toupper(t.a) = oneof (MYEXE)", true},
        {"n.unsigned = anyof (3, 7)", true},
        {"n.unsigned != allof (3, 7)", false},
        {"t.b != allof (x)", false}, // t.b has no value
    };
    for (const Row& row : kRows) {
        CAPTURE(row.condition);
        FakeEvent event;
        event.texts[1] = {"myexe"};
        event.numbers[6] = {7};
        CHECK((matched_by(event, {row.condition}) == 1) == row.holds);
    }
}

TEST_CASE("numbers are read by the width and kind of their field") {
    FieldUse use;
    use.type = ValueType::unsigned_number;
    use.bits = 32;
    ComparisonProblem problem;
    const Value largest{{}, 0xffffffff, 0}, ssh{{}, 22, 0};
    const auto compare = [&](Op op, const char* value, const Value& with) {
        const auto made = Comparison::make(use, op, {value}, problem);
        return made && made->holds(Values{true, &with, 1});
    };
    CHECK(compare(Op::eq, "-1", largest));
    CHECK_FALSE(compare(Op::eq, "-1", ssh));
    CHECK_FALSE(compare(Op::eq, "ssh", ssh));
    use.bits = 16;
    use.is_port = true;
    CHECK(compare(Op::eq, "ssh", ssh));
    CHECK(compare(Op::in, "ssh", ssh));
    CHECK_FALSE(compare(Op::eq, "https", ssh));
    CHECK_FALSE(Comparison::make(use, Op::eq, {"no such service"}, problem));
    use.bits = 64;
    CHECK(compare(Op::eq, "18446744073709551615", Value{{}, -1, 0}));
    CHECK(compare(Op::eq, "-1", Value{{}, -1, 0}));
}

TEST_CASE("mistakes in types, names and values are all found") {
    const auto issues_of = [](const char* condition) {
        Graph graph;
        FakeCatalog catalog;
        NoScope scope;
        std::vector<Issue> issues;
        Resolver(graph, catalog).resolve(std::get<Node>(parse(condition)), scope, issues);
        return issues;
    };
    CHECK(issues_of("t.x = 1 or t.y = 2 or t.a < 3").size() == 2);
    CHECK(issues_of("evt.type = opne")[0].unknown_name);
    CHECK(issues_of("evt.type = opne")[0].hint.find("open") != std::string::npos);
    CHECK(issues_of("evt.type in (open, nothing, closee)").size() == 2);
    CHECK(issues_of("n.signed = x")[0].message.find("whole number") != std::string::npos);
    CHECK(issues_of("n.unsigned = -1").empty()); // the largest number
    CHECK(issues_of("n.signed = 99999999999999999999").size() == 1);
    CHECK(issues_of("n.bool = yes").size() == 1);
    CHECK(issues_of("i.net = 10.0.0.0/33").size() == 1);
    CHECK(issues_of("n.signed contains 3").size() == 1);
    CHECK(issues_of("t.list = x").size() == 1);
    CHECK(issues_of("t.a bcontains 00").size() == 1);
    CHECK(issues_of("y.bytes bcontains 0g").size() == 1);
    CHECK(issues_of("t.a regex '('").size() == 1);
    CHECK(issues_of("t.a = val(n.signed)").size() == 1);
    CHECK(issues_of("t.a regex val(t.b)").size() == 1);
    CHECK(issues_of("join(t.list, (t.a)) = x").size() == 1);
    CHECK(issues_of("join(\",\", t.a, t.b) = x").size() == 1);
    CHECK(issues_of("concat(t.a) = x").size() == 1);
    CHECK(issues_of("concat(t.list, t.a) = x").size() == 1);
    CHECK(issues_of("getopt(\"-n\", \"n\") intersects (n)").size() == 1);
    CHECK(issues_of("getopt(t.list, \"n\")[nn] = x").size() == 1);
    CHECK(issues_of("tolower(t.a)[x] = x").size() == 1);
    CHECK(issues_of("t.list contains anyof (x, y)").size() == 2);
    CHECK(issues_of("i.net contains anyof (10.0.0.1)").size() == 1);
    CHECK(issues_of("tolower(n.signed) = x").size() == 1);
    CHECK(issues_of("some_macro").size() == 1);
}
