// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>
#include <fnmatch.h>

#include <cstring>
#include <random>

#include "analyzer/language/suggest.h"
#include "analyzer/match/sets/glob.h"
#include "analyzer/match/sets/path.h"
#include "analyzer/match/sets/table.h"
#include "analyzer/match/sets/text.h"

using namespace tiercel::filter;

namespace {

std::string random_text(std::mt19937& random, std::string_view alphabet, std::size_t longest) {
    std::string text(random() % (longest + 1), ' ');
    for (char& c : text)
        c = alphabet[random() % alphabet.size()];
    return text;
}

} // namespace

TEST_CASE("a literal table finds what was added and nothing else") {
    std::mt19937 random(1);
    LiteralTable table;
    std::vector<std::string> added;
    for (int i = 0; i < 2000; ++i) {
        added.push_back(random_text(random, "abcdef/", 24));
        table.add(added.back());
    }
    const std::uint32_t again = table.add(added[7]);
    table.freeze();
    CHECK(table.find(added[7]) == again);
    for (const std::string& text : added)
        CHECK(table.find(text) != LiteralTable::kNone);
    for (int i = 0; i < 2000; ++i)
        CHECK(table.find(random_text(random, "xyz", 24) + '!') == LiteralTable::kNone);
    LiteralTable empty;
    empty.freeze();
    CHECK(empty.find("") == LiteralTable::kNone);
}

TEST_CASE("merged startswith, endswith and contains agree with one test at a time") {
    std::mt19937 random(2);
    for (int round = 0; round < 200; ++round) {
        PrefixSet prefixes, suffixes(true);
        SubstringSet substrings, folded(true);
        std::vector<std::string> patterns;
        for (std::uint32_t bit = 0; bit < 70; ++bit) {
            patterns.push_back(random_text(random, "abA", 4));
            prefixes.add(patterns[bit], bit);
            suffixes.add(patterns[bit], bit);
            substrings.add(patterns[bit], bit);
            folded.add(patterns[bit], bit);
        }
        prefixes.freeze();
        suffixes.freeze();
        substrings.freeze();
        folded.freeze();
        for (int i = 0; i < 20; ++i) {
            const std::string text = random_text(random, "abABc", 8);
            Word rows[4][2] = {};
            prefixes.match(text, rows[0]);
            suffixes.match(text, rows[1]);
            substrings.match(text, rows[2]);
            folded.match(text, rows[3]);
            for (std::uint32_t bit = 0; bit < 70; ++bit) {
                CAPTURE(text);
                CAPTURE(patterns[bit]);
                CHECK(test_bit(rows[0], bit) == text.starts_with(patterns[bit]));
                CHECK(test_bit(rows[1], bit) == text.ends_with(patterns[bit]));
                CHECK(test_bit(rows[2], bit) == (text.find(patterns[bit]) != std::string::npos));
                CHECK(test_bit(rows[3], bit) ==
                      (strcasestr(text.c_str(), patterns[bit].c_str()) != nullptr));
                CHECK(test_bit(rows[3], bit) ==
                      (find_folded(text, patterns[bit]) != std::string_view::npos));
            }
        }
    }
}

TEST_CASE("every byte may stand in a pattern") {
    SubstringSet set;
    for (unsigned c = 0; c < 256; ++c)
        set.add(std::string(1, static_cast<char>(c)), c);
    set.freeze();
    Word row[4] = {};
    set.match("a\xff", row);
    for (unsigned c = 0; c < 256; ++c)
        CHECK(test_bit(row, c) == (c == 'a' || c == 0xff));
}

TEST_CASE("globs mean what fnmatch says") {
    std::mt19937 random(3);
    for (int i = 0; i < 200'000; ++i) {
        const std::string pattern = random_text(random, "ab/*?[]!^-\\.A", 7);
        // fnmatch calls a trailing backslash an error and never matches; we take it for itself.
        if (pattern.ends_with('\\'))
            continue;
        const std::string text = random_text(random, "ab/]-A", 6);
        // Ranges are where the C library asks the locale and treats odd ones in ways of its own.
        if (pattern.find('[') != std::string::npos && pattern.find('-') != std::string::npos)
            continue;
        for (const bool folded : {false, true}) {
            const bool expected =
                fnmatch(pattern.c_str(), text.c_str(), folded ? FNM_CASEFOLD : 0) == 0;
            CAPTURE(pattern);
            CAPTURE(text);
            CHECK(Glob(pattern, folded).match(text) == expected);
        }
    }
}

TEST_CASE("sets, classes and groups of globs") {
    const auto matches = [](const char* pattern, const char* text) {
        const Glob glob(pattern, false);
        CHECK(glob.error().empty());
        return glob.match(text);
    };
    CHECK(matches("/home/*/.ssh/*", "/home/a/b/.ssh/id"));
    CHECK(matches("[a-c]x", "bx"));
    CHECK_FALSE(matches("[!a-c]x", "bx"));
    CHECK(matches("[[:digit:]_]*", "7up"));
    CHECK_FALSE(matches("[[:digit:]_]*", "up"));
    CHECK(matches("*.@(sh|py)", "x.py"));
    CHECK_FALSE(matches("*.@(sh|py)", "x.pl"));
    CHECK(matches("+(ab)", "ababab"));
    CHECK_FALSE(matches("+(ab)", ""));
    CHECK(matches("?(ab)c", "c"));
    CHECK(matches("a.c", "a.c"));
    CHECK_FALSE(matches("*(a).c", "aaxc"));
    CHECK_FALSE(Glob("!(a)", false).error().empty());
    CHECK(Glob("*(a).C", true).match("AA.c"));
}

TEST_CASE("globs cannot be made to take forever") {
    std::string pattern;
    for (int i = 0; i < 50; ++i)
        pattern += "*a";
    CHECK_FALSE(Glob(pattern + "b", false).match(std::string(5000, 'a')));
}

TEST_CASE("regexes match the whole value") {
    CHECK(Regex("a.c").match("abc"));
    CHECK_FALSE(Regex("a.c").match("xabc"));
    CHECK(Regex(".*b.*").match(std::string("a\xff\nb")));
    CHECK_FALSE(Regex("(a").error().empty());
    CHECK(Regex("abc", true).match("ABC"));
}

TEST_CASE("pmatch goes by components") {
    PathSet set;
    set.add("/etc");
    set.add("/usr/lib/");
    set.add("/home/*/.ssh");
    CHECK(set.match("/etc"));
    CHECK(set.match("/etc/passwd"));
    CHECK_FALSE(set.match("/etcetera"));
    CHECK_FALSE(set.match("/usr"));
    CHECK(set.match("/usr/lib/x/y"));
    CHECK(set.match("/home/a/.ssh/id"));
    CHECK_FALSE(set.match("/home/a/b/.ssh"));
    CHECK_FALSE(set.match(""));
    PathSet root;
    root.add("/");
    CHECK(root.match("/anything"));
    CHECK_FALSE(PathSet().match("/anything"));
}

TEST_CASE("suggestions are near or absent") {
    const auto nearest = [](const char* word) {
        Suggestion best(word);
        for (const char* name : {"proc.name", "proc.pname", "fd.name", "evt.type"})
            best.consider(name);
        return best.best();
    };
    CHECK(nearest("proc.nmae") == "proc.name");
    CHECK(nearest("evt.typ") == "evt.type");
    CHECK(nearest("container.image.repository").empty());
    CHECK(edit_distance("ab", "ba", 9) == 1);
    CHECK(edit_distance("kitten", "sitting", 9) == 3);
    CHECK(edit_distance("a", "bbbbbb", 3) == 3);
}
