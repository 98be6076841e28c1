// SPDX-License-Identifier: Apache-2.0
//
// PrefixSet and SubstringSet: many startswith, endswith or contains of one field, answered in one
// pass. Each pattern has a bit; match() sets those of the patterns found. Filled once, then only
// matched; matching allocates nothing.
//
// The libraries at hand do not serve: RE2::Set allocates for each match and cannot say "at the
// start".
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "analyzer/match/sets/table.h"

namespace tiercel::filter {

// A trie over the patterns, read from the front (startswith) or from the back (endswith).
class PrefixSet {
  public:
    explicit PrefixSet(bool from_back = false) : from_back_(from_back), nodes_(1) {}
    void add(std::string_view pattern, std::uint32_t bit);
    void freeze();
    void match(std::string_view text, Word* row) const;

  private:
    struct Node {
        std::vector<std::pair<char, std::uint32_t>> edges;
        std::vector<std::uint32_t> bits;
    };
    std::uint32_t child(const Node& node, char c) const;

    bool from_back_;
    std::vector<Node> nodes_;
    std::array<std::uint32_t, 256> first_{}; // the root's edges, by byte; 0: none
};

// Aho and Corasick's automaton. Bytes that no pattern tells apart share a column of the transition
// table; so do upper and lower case where `fold_case`.
class SubstringSet {
  public:
    explicit SubstringSet(bool fold_case = false) : fold_case_(fold_case) {}
    void add(std::string_view pattern, std::uint32_t bit) { patterns_.emplace_back(pattern, bit); }
    void freeze();
    void match(std::string_view text, Word* row) const;

  private:
    void assign_columns();
    std::uint32_t insert(std::string_view pattern);
    void link_failures();
    void collect_outputs();

    bool fold_case_;
    std::vector<std::pair<std::string, std::uint32_t>> patterns_;
    std::array<std::uint16_t, 256> column_{}; // 0: a byte of no pattern
    std::uint32_t columns_ = 1;
    std::vector<std::uint32_t> next_; // state × columns
    std::vector<std::uint32_t> failure_;
    std::vector<std::uint32_t> order_; // states, nearest to the root first
    std::vector<std::vector<std::uint32_t>> bits_;
    std::vector<std::uint8_t> ends_; // whether the state has bits: what the loop looks at
};

// The position of `needle` in `text` without regard to ASCII case; npos: nowhere.
std::size_t find_folded(std::string_view text, std::string_view needle);
char fold(char c);

} // namespace tiercel::filter
