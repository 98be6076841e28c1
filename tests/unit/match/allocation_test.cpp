// SPDX-License-Identifier: Apache-2.0
//
// Matching allocates nothing. This file replaces the program's operator new to count; under the
// address sanitizer, which wants that for itself, there is no such test.
#ifndef __SANITIZE_ADDRESS__
#include <doctest/doctest.h>

#include <cstdlib>
#include <new>

#include "analyzer/language/parser.h"
#include "analyzer/match/matcher.h"
#include "tests/unit/match/fake_fields.h"

namespace {
std::size_t g_allocations = 0;
}

void* operator new(std::size_t size) {
    ++g_allocations;
    if (void* memory = std::malloc(size != 0 ? size : 1))
        return memory;
    throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}

using namespace tiercel::filter;

TEST_CASE("matching allocates nothing, whatever it has to look at") {
    Graph graph;
    FakeCatalog catalog;
    NoScope scope;
    Resolver resolver(graph, catalog);
    std::vector<NodeId> roots;
    for (const char* condition :
         {"evt.type=open and t.a in (a, b, c, d, e, f) and not t.b startswith /x",
          "t.a startswith /e and t.b=q",
          "t.a contains a and t.a contains b and t.a contains c and t.a contains d and t.a "
          "contains e and "
          "t.a contains f and t.a contains g",
          "t.b icontains AB or t.b icontains CD or t.b icontains EF",
          "t.a glob '*/x?[a-c]' or t.b pmatch (/q, /r)",
          "t.any in (x, y) and t.list intersects (p, q)", "tolower(t.a)=val(t.b)",
          "basename(t.a) endswith zz", "n.signed > 5 or n.unsigned in (1, 2, 3, 4, 5, 6)",
          "i.net = 10.0.0.0/8", "t.a regex 'x+y*z'"}) {
        std::vector<Issue> issues;
        roots.push_back(resolver.resolve(std::get<Node>(parse(condition)), scope, issues));
        REQUIRE(issues.empty());
    }
    Matcher matcher(std::shared_ptr<const Program>(build_program(std::move(graph), roots)));
    FakeEvent event;
    event.texts[1] = {"/usr/share/nothing/in/particular"};
    event.texts[2] = {"/usr/share/NOTHING/else"};
    event.texts[3] = {"k", "l"};
    event.texts[4] = {"m", "n"};
    event.numbers[5] = {1};
    event.numbers[6] = {9};
    event.texts[10] = {std::string("\x01\x02\x03\x04", 4)};
    EventKind open = 0;
    while (kind_name(open) != "open")
        ++open;
    CHECK(matcher.match(open, event, true).empty()); // buffers grow, the regex makes its states
    const std::size_t before = g_allocations;
    std::size_t matched = 0;
    for (int i = 0; i < 1000; ++i)
        matched += matcher.match(open, event, true).size();
    CHECK(g_allocations == before);
    CHECK(matched == 0);
    CHECK(matcher.fetched() >= 8);
}

#endif
