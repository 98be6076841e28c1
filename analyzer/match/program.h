// SPDX-License-Identifier: Apache-2.0
//
// Program: the conditions of all rules, laid out for matching
//
// For each kind of event it holds the rules that can match at all, as a tree of gates. A gate is a
// condition that several rules have in common; the block behind it is evaluated only if the
// condition holds. Rules of a large set that differ in a value (a process's name, the start of a
// path) hang on a switch: one look-up of the event's value gives the rules to try.
//
// Comparisons of one field with constants are merged into groups: one table, trie or automaton
// answers all comparisons of a group for an event, as a row of bits.
//
// A Program is made once and never changes; Matcher holds the state that changes with each event.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "analyzer/match/event_kind.h"
#include "analyzer/match/graph.h"
#include "analyzer/match/sets/text.h"

namespace tiercel::filter {

inline constexpr std::uint32_t kNothing = UINT32_MAX;
using RuleId = std::uint32_t; // position among the conditions the program was made of

struct Group {
    enum class Type : std::uint8_t { equal, prefix, suffix, substring, folded };
    Type type = Type::equal;
    bool numbers = false; // equal: of numbers
    bool every = false;   // equal: a bit needs all of a list's values, not one
    SlotId slot = kNoSlot;
    std::uint32_t bits = 0;
    std::uint32_t words = 0;
    LiteralTable table;                       // equal
    std::vector<Word> rows;                   // equal: of each literal, and one of zeros at the end
    std::unique_ptr<PrefixSet> prefixes;      // prefix, suffix
    std::unique_ptr<SubstringSet> substrings; // substring, folded
};

struct Step {
    enum class Kind : std::uint8_t { always, all, any, negation, bit, number, exists, compare };
    Kind kind = Kind::always;
    Op op = Op::exists;             // number
    bool is_signed = true;          // number
    SlotId slot = kNoSlot;          // number, exists, compare
    SlotId right = kNoSlot;         // compare
    std::uint32_t group = kNothing; // bit
    std::uint32_t bit = 0;          // bit
    std::uint32_t first = 0;        // all, any, negation: into children
    std::uint32_t count = 0;
    std::uint32_t memo =
        kNothing;            // where the answer is kept, for steps that are asked more than once
    std::int64_t number = 0; // number
    const Comparison* comparison = nullptr; // compare
};

struct Gate {
    std::uint32_t step = 0;
    std::uint32_t block = kNothing; // evaluated if the step holds
};

// Rules, and gates side by side.
struct Block {
    struct Switch {
        std::uint32_t group = 0;
        std::vector<Word> mask;                                     // bits that lead somewhere
        std::vector<std::pair<std::uint32_t, std::uint32_t>> gates; // bit and gate, sorted
    };
    std::vector<RuleId> rules;        // match when the block is reached
    std::vector<std::uint32_t> gates; // to be tried one by one
    std::vector<Switch> switches;
};

struct Program {
    Graph graph;                    // keeps the comparisons
    std::vector<NodeId> conditions; // of each rule, for every kind of event
    std::vector<Group> groups;
    std::vector<Step> steps;
    std::vector<std::uint32_t> children;
    std::vector<Gate> gates;
    std::vector<Block> blocks;
    std::vector<std::uint32_t> block_of_kind; // kNothing: no rule can match
    std::vector<std::vector<RuleId>> rules_of_kind;
    std::uint32_t memos = 0;
    std::uint32_t rules = 0;
};

// `roots` has one condition for each rule; kFalse for rules that are off.
std::unique_ptr<const Program> build_program(Graph graph, const std::vector<NodeId>& roots);

} // namespace tiercel::filter
