// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>

#include "analyzer/language/list.h"
#include "analyzer/language/parser.h"
#include "tests/unit/language/show.h"

using namespace tiercel::filter;

namespace {

struct Good {
    const char* condition;
    const char* tree;
};

const Good kGood[] = {
    {"evt.type=open", "{evt.type = open}"},
    {"evt.type == open", "{evt.type = open}"},
    {"evt.type!=open", "{evt.type != open}"},
    {"a.b=c and d.e=f", "(and {a.b = c} {d.e = f})"},
    {"a.b=c or d.e=f and g.h=i", "(or {a.b = c} (and {d.e = f} {g.h = i}))"},
    {"(a.b=c or d.e=f) and g.h=i", "(and (or {a.b = c} {d.e = f}) {g.h = i})"},
    {"a.b=c and(d.e=f)or(g.h=i)", "(or (and {a.b = c} {d.e = f}) {g.h = i})"},
    {"not a.b=c", "(not {a.b = c})"},
    {"not not a.b=c", "{a.b = c}"},
    {"not(a.b=c)", "(not {a.b = c})"},
    {"not not (a.b=c)", "{a.b = c}"},
    {"not not(not a.b=c)", "(not {a.b = c})"},
    {"spawned_process", "spawned_process"},
    {"not_a_keyword and android and orange", "(and not_a_keyword android orange)"},
    {"a.b exists", "{a.b exists}"},
    {"a.b exists and c", "(and {a.b exists} c)"},
    {"a.b in (x, y,z)", "{a.b in x y z}"},
    {"a.b in(x)", "{a.b in x}"},
    {"a.b in ()", "{a.b in}"},
    {"a.b in ( \"x y\" , 'z' )", "{a.b in 'x y' 'z'}"},
    {"a.b in some_list", "{a.b in some_list}"},
    {"a.b intersects (x)", "{a.b intersects x}"},
    {"a.b pmatch (/etc, /usr/lib)", "{a.b pmatch /etc /usr/lib}"},
    {"proc.name in (runc:[0:PARENT], x)", "{proc.name in runc:[0:PARENT] x}"},
    {"a.b < 5", "{a.b < 5}"},
    {"a.b<=0x1F", "{a.b <= 0x1F}"},
    {"a.b >=-3.5", "{a.b >= -3.5}"},
    {"a.b>1.5e+10", "{a.b > 1.5e+10}"},
    {"evt.dir=<", "{evt.dir = <}"},
    {"a.b contains \"x y\"", "{a.b contains 'x y'}"},
    {"a.b\ncontains\n\tx", "{a.b contains x}"},
    {"a.b icontains x and a.b bcontains CAFE and a.b bstartswith 00",
     "(and {a.b icontains x} {a.b bcontains CAFE} {a.b bstartswith 00})"},
    {"a.b startswith /etc/ or a.b endswith .sh", "(or {a.b startswith /etc/} {a.b endswith .sh})"},
    {"a.b glob '*/x' or a.b iglob *y or a.b regex '(a|b)+'",
     "(or {a.b glob '*/x'} {a.b iglob *y} {a.b regex '(a|b)+'})"},
    {"proc.aname[2]=x", "{proc.aname[2] = x}"},
    {"proc.env[X] exists", "{proc.env[X] exists}"},
    {"evt.arg[\"a b\"]=x", "{evt.arg[a b] = x}"},
    {"evt.arg.flags contains O_TRUNC", "{evt.arg.flags contains O_TRUNC}"},
    {"fd.types[\"\"] in (a)", "{fd.types[] in a}"},
    {"tolower(proc.name)=x", "{tolower(proc.name) = x}"},
    {"toupper( b64( evt.buffer ) ) = X", "{toupper(b64(evt.buffer)) = X}"},
    {"len(proc.aname[1]) > 3", "{len(proc.aname[1]) > 3}"},
    {"proc.name=val(proc.pname)", "{proc.name = val(proc.pname)}"},
    {"proc.name = tolower(proc.pname)", "{proc.name = tolower(proc.pname)}"},
    {"proc.pid > val(proc.ppid)", "{proc.pid > val(proc.ppid)}"},
    {"fd.types in val(fd.types)", "{fd.types in val(fd.types)}"},
    {"concat(fd.rip, \":\", fd.rport) in (\"8.8.8.8:53\")",
     "{concat(fd.rip,':',fd.rport) in '8.8.8.8:53'}"},
    {"join('>', proc.aname) contains x", "{join('>',proc.aname) contains x}"},
    {"join( ',' ,( a.b , 'x', 3 )) = y", "{join(',',(a.b,'x','3')) = y}"},
    {"join(',', ()) = \"\"", "{join(',',()) = ''}"},
    {"getopt(proc.args, \"lp:\")[p] = 8080", "{getopt(proc.args,'lp:')[p] = 8080}"},
    {"getopt((\"-n\"), 'n') intersects (n)", "{getopt(('-n'),'n') intersects n}"},
    {"a.b contains anyof (x, y)", "{a.b contains anyof x y}"},
    {"a.b = oneof some_list or c", "(or {a.b = oneof some_list} c)"},
    {"a.b != allof ()", "{a.b != allof}"},
    {"a.b = oneof or c", "(or {a.b = oneof} c)"},
    {"a.b = anyof", "{a.b = anyof}"},
    {"a.b = \"\\x41\\x7a\"", "{a.b = 'Az'}"},
    {"proc.name=value(", nullptr}, // a bare word ends at '('
    {"a.b = \"x\\\"y\\\\z\\n\"", "{a.b = 'x\"y\\z\n'}"},
    {"a.b = 'it\\'s'", "{a.b = 'it's'}"},
    {"a.b = \"back\\ slash\"", "{a.b = 'back\\slash'}"},
    {"  a.b=c  ", "{a.b = c}"},
    {"a.b = len", "{a.b = len}"},
    {"a.b=\"\"", "{a.b = ''}"},
    {"a.b.c1.d_e = x", "{a.b.c1.d_e = x}"},
};

struct Bad {
    const char* condition;
    std::uint32_t offset; // of what is underlined
    const char* message;  // part of it
    const char* hint = "";
};

const Bad kBad[] = {
    {"", 0, "empty"},
    {"   ", 0, "empty"},
    {"a.b", 3, "expected an operator"},
    {"a.b =", 5, "expected a value"},
    {"a.b = )", 6, "expected a value"},
    {"a.b startwith x", 4, "expected an operator", "startswith"},
    {"a.b contain x", 4, "expected an operator", "contains"},
    {"(a.b=c", 6, "expected ')'"},
    {"a.b=c)", 5, "closes nothing"},
    {"a.b=c d.e=f", 6, "'and' or 'or'"},
    {"a.b=c and", 9, "blank or '('"},
    {"a.b=c and ", 10, "expected '(', a field or a macro"},
    {"a.b=c or and d.e=f", 9, "expected '('"},
    {"a.b=c and=x", 9, "blank or '('"},
    {"a.b=c=d", 5, "'and' or 'or'"},
    {"a.b < x", 6, "number"},
    {"a.b > 5s", 6, "number"},
    {"a.b = 'x", 6, "never closed"},
    {"a.b = \"x\\q\"", 8, "escape"},
    {"a.b = \"it\\'s\"", 9, "escape"},
    {"a.b in (x", 9, "',' or ')'"},
    {"a.b in (x y)", 10, "',' or ')'"},
    {"a.b in (x,)", 10, "value"},
    {"a.b in", 6, "list"},
    {"a.b[x = y", 5, "']'"},
    {"a.b = val(c.d[x!y", 17, "']'"},
    {"a.b in val(c.d", 14, "')'"},
    {"tolower(x) = y", 8, "expected a field"},
    {"tolower(a.b = y", 12, "')'"},
    {"lower(a.b) = y", 5, "no such transformer"},
    {"a.b = oneof(x)", 11, "'and' or 'or'"},
    {"a.b =oneof (x)", 11, "'and' or 'or'"},
    {"a.b in oneof (x)", 13, "'and' or 'or'"},
    {"a.b[] = x", 4, "expected an argument"},
    {"val(a.b) = x", 0, "right side"},
    {"a.b = val(val(c.d))", 10, "expected a field"},
    {"a.b = val(tolower(c.d))", 10, "expected a field"},
    {"b64(val(a.b)) = x", 4, "right side"},
    {"join(',', (x)) = y", 11, "expected a field"},
    {"join(',', ((a.b))) = y", 11, "expected a field"},
    {"join(',', (a.b)", 15, "')'"},
    {"a.b = \"\\x4\"", 7, "escape"},
    {"a.b = \"\\x00\"", 7, "escape"},
    {"macro = x", 5, "cannot be compared|'and' or 'or'"},
    {"\"a.b\" = x", 0, "expected '('"},
    {"1 = 1", 0, "expected '('"},
    {"and a.b=c", 0, "expected '('"},
};

std::string message_of(const char* condition) {
    const auto result = parse(condition);
    const auto* error = std::get_if<SyntaxError>(&result);
    return error ? error->message : std::string();
}

bool one_of(const std::string& text, std::string_view alternatives) {
    while (!alternatives.empty()) {
        const std::string_view part = alternatives.substr(0, alternatives.find('|'));
        if (text.find(part) != std::string::npos)
            return true;
        alternatives.remove_prefix(std::min(alternatives.size(), part.size() + 1));
    }
    return false;
}

} // namespace

TEST_CASE("conditions become the trees they say") {
    for (const Good& good : kGood) {
        CAPTURE(good.condition);
        const auto result = parse(good.condition);
        if (good.tree == nullptr) {
            CHECK(std::holds_alternative<SyntaxError>(result));
            continue;
        }
        CHECK_MESSAGE(std::holds_alternative<Node>(result), message_of(good.condition));
        if (const auto* node = std::get_if<Node>(&result))
            CHECK(show(*node) == good.tree);
    }
}

TEST_CASE("bad conditions are refused where they go wrong") {
    for (const Bad& bad : kBad) {
        CAPTURE(bad.condition);
        const auto result = parse(bad.condition);
        const auto* error = std::get_if<SyntaxError>(&result);
        REQUIRE(error != nullptr);
        CAPTURE(error->message);
        CHECK(error->span.offset == bad.offset);
        CHECK(one_of(error->message, bad.message));
        CHECK(error->hint.find(bad.hint) != std::string::npos);
    }
}

TEST_CASE("every operator, quantifier and transformer of the tables is parsed") {
    for (const OpInfo& op : operators()) {
        CAPTURE(op.name);
        Op found;
        CHECK(find_op(op.name, found));
        CHECK(found == op.op);
        const std::string right = op.right == RightSide::nothing  ? ""
                                  : op.right == RightSide::number ? " 1"
                                  : op.right == RightSide::list   ? " (x)"
                                                                  : " x";
        CHECK(std::holds_alternative<Node>(parse("a.b " + std::string(op.name) + right)));
    }
    for (const QuantifierInfo& quantifier : quantifiers())
        CHECK(
            std::holds_alternative<Node>(parse("a.b = " + std::string(quantifier.name) + " (x)")));
    for (const TransformInfo& transformer : transformers()) {
        CAPTURE(transformer.name);
        CHECK(transformer.synopsis.starts_with(std::string(transformer.name) + '('));
        CHECK(std::holds_alternative<Node>(
            parse("a.b = " + std::string(transformer.name) + "(c.d)")));
    }
}

TEST_CASE("the listing and the manual page name every operator and transformer") {
    const std::string listing = list_operators();
    std::ifstream file(TIERCEL_SOURCE_DIR "/packaging/man/tiercel-rules.5.in");
    std::string page{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    const std::size_t from = page.find(".SS Operators"), end = page.find(".SH EXCEPTIONS");
    REQUIRE(from != std::string::npos);
    REQUIRE(end != std::string::npos);
    page = page.substr(from, end - from);
    const auto named = [&](std::string_view name, const char* before) {
        CAPTURE(name);
        CHECK(listing.find('\n' + std::string(name)) != std::string::npos);
        // A heading such as ".B glob, iglob" or ".BI join( SEPARATOR".
        bool found = false;
        std::istringstream lines(page);
        for (std::string line; !found && std::getline(lines, line);) {
            std::size_t at = line.find(' ' + std::string(name));
            if (!line.starts_with(before) || at == std::string::npos)
                continue;
            at += 1 + name.size();
            found = at == line.size() || line[at] == ',' || line[at] == '(';
        }
        CHECK(found);
    };
    for (const OpInfo& op : operators())
        named(op.name, ".B ");
    for (const QuantifierInfo& quantifier : quantifiers())
        named(quantifier.name, ".B ");
    for (const TransformInfo& transformer : transformers())
        named(transformer.name, ".BI ");
}

TEST_CASE("spans cover the text of their node") {
    const std::string condition = "x and  not (proc.name in (a, b))";
    const auto result = parse(condition);
    const Node& root = std::get<Node>(result);
    const Node& negation = root.children[1];
    CHECK(condition.substr(negation.span.offset, negation.span.length) ==
          "not (proc.name in (a, b))");
    const Node& check = negation.children[0];
    CHECK(condition.substr(check.span.offset, check.span.length) == "proc.name in (a, b)");
    const Literal& value = check.check[0].values[1];
    CHECK(condition.substr(value.span.offset, value.span.length) == "b");
}

TEST_CASE("nesting is bounded") {
    const auto nested = [](std::size_t depth) {
        return std::string(depth, '(') + "a.b=c" + std::string(depth, ')');
    };
    CHECK(std::holds_alternative<Node>(parse(nested(kMaxDepth - 2))));
    CHECK(std::holds_alternative<SyntaxError>(parse(nested(kMaxDepth + 1))));
    CHECK(std::holds_alternative<SyntaxError>(parse(nested(100'000))));
    std::string calls;
    for (int i = 0; i < 100'000; ++i)
        calls += "tolower(";
    CHECK(std::holds_alternative<SyntaxError>(parse(calls)));
}

TEST_CASE("list items bring their own quotes") {
    std::string value;
    bool quoted = false;
    CHECK(unquote_item("bash", value, quoted));
    CHECK(value == "bash");
    CHECK_FALSE(quoted);
    CHECK(unquote_item("\"(systemd)\"", value, quoted));
    CHECK(value == "(systemd)");
    CHECK(quoted);
    CHECK(unquote_item("\"sh -c \\\"x\\\"\"", value, quoted));
    CHECK(value == "sh -c \"x\"");
    CHECK(unquote_item("puma reactor", value, quoted));
    CHECK(value == "puma reactor");
    CHECK(quoted);
    CHECK_FALSE(unquote_item("\"never closed", value, quoted));
    CHECK_FALSE(unquote_item("\"a\" b", value, quoted));
}
