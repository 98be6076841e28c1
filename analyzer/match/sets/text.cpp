// SPDX-License-Identifier: Apache-2.0
#include "analyzer/match/sets/text.h"

#include <algorithm>

namespace tiercel::filter {

char fold(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::size_t find_folded(std::string_view text, std::string_view needle) {
    const auto found = std::search(text.begin(), text.end(), needle.begin(), needle.end(),
                                   [](char a, char b) { return fold(a) == fold(b); });
    return found == text.end() && !needle.empty() ? std::string_view::npos
                                                  : static_cast<std::size_t>(found - text.begin());
}

std::uint32_t PrefixSet::child(const Node& node, char c) const {
    for (const auto& [label, target] : node.edges) {
        if (label == c)
            return target;
    }
    return 0;
}

void PrefixSet::add(std::string_view pattern, std::uint32_t bit) {
    std::uint32_t at = 0;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        const char c = from_back_ ? pattern[pattern.size() - 1 - i] : pattern[i];
        std::uint32_t target = child(nodes_[at], c);
        if (target == 0) {
            target = static_cast<std::uint32_t>(nodes_.size());
            nodes_[at].edges.emplace_back(c, target);
            nodes_.emplace_back();
        }
        at = target;
    }
    nodes_[at].bits.push_back(bit);
}

void PrefixSet::freeze() {
    for (const auto& [label, target] : nodes_[0].edges)
        first_[static_cast<unsigned char>(label)] = target;
}

void PrefixSet::match(std::string_view text, Word* row) const {
    for (const std::uint32_t bit : nodes_[0].bits) // the empty pattern
        set_bit(row, bit);
    if (text.empty())
        return;
    const char* at = from_back_ ? text.data() + text.size() - 1 : text.data();
    const std::ptrdiff_t step = from_back_ ? -1 : 1;
    std::uint32_t node = first_[static_cast<unsigned char>(*at)];
    for (std::size_t left = text.size(); node != 0; --left) {
        for (const std::uint32_t bit : nodes_[node].bits)
            set_bit(row, bit);
        if (left == 1)
            return;
        at += step;
        node = child(nodes_[node], *at);
    }
}

void SubstringSet::assign_columns() {
    for (auto& [pattern, bit] : patterns_) {
        for (char& c : pattern) {
            if (fold_case_)
                c = fold(c);
            std::uint16_t& column = column_[static_cast<unsigned char>(c)];
            if (column == 0)
                column = static_cast<std::uint16_t>(columns_++);
        }
    }
    for (unsigned c = 'A'; fold_case_ && c <= 'Z'; ++c)
        column_[c] = column_[c - 'A' + 'a'];
}

std::uint32_t SubstringSet::insert(std::string_view pattern) {
    std::uint32_t state = 0;
    for (const char c : pattern) {
        const std::size_t edge = state * columns_ + column_[static_cast<unsigned char>(c)];
        if (next_[edge] == 0) {
            next_[edge] = static_cast<std::uint32_t>(bits_.size());
            next_.resize(next_.size() + columns_, 0);
            bits_.emplace_back();
        }
        state = next_[edge];
    }
    return state;
}

void SubstringSet::link_failures() {
    failure_.assign(bits_.size(), 0);
    order_.assign(1, 0);
    for (std::size_t i = 0; i < order_.size(); ++i) {
        const std::uint32_t state = order_[i];
        for (std::uint32_t column = 0; column < columns_; ++column) {
            std::uint32_t& target = next_[state * columns_ + column];
            const std::uint32_t fallback =
                state == 0 ? 0 : next_[failure_[state] * columns_ + column];
            if (target == 0) {
                target = fallback;
            } else {
                failure_[target] = fallback;
                order_.push_back(target);
            }
        }
    }
}

void SubstringSet::collect_outputs() {
    for (const std::uint32_t state : order_) {
        if (state == 0)
            continue;
        const std::vector<std::uint32_t>& more = bits_[failure_[state]];
        bits_[state].insert(bits_[state].end(), more.begin(), more.end());
    }
    ends_.assign(bits_.size(), 0);
    for (std::size_t state = 0; state < bits_.size(); ++state)
        ends_[state] = bits_[state].empty() ? 0 : 1;
}

void SubstringSet::freeze() {
    assign_columns();
    next_.assign(columns_, 0);
    bits_.assign(1, {});
    for (const auto& [pattern, bit] : patterns_)
        bits_[insert(pattern)].push_back(bit);
    link_failures();
    collect_outputs();
}

void SubstringSet::match(std::string_view text, Word* row) const {
    for (const std::uint32_t bit : bits_[0]) // the empty pattern
        set_bit(row, bit);
    std::uint32_t state = 0;
    for (const char c : text) {
        state = next_[state * columns_ + column_[static_cast<unsigned char>(c)]];
        if (ends_[state] == 0)
            continue;
        for (const std::uint32_t bit : bits_[state])
            set_bit(row, bit);
    }
}

} // namespace tiercel::filter
