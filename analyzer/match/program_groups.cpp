// SPDX-License-Identifier: Apache-2.0
#include "analyzer/match/program_groups.h"

#include <algorithm>
#include <optional>

namespace tiercel::filter {

namespace {

std::optional<Group::Type> group_type(const Test& test, const FieldUse& use) {
    if (test.right != kNoSlot)
        return std::nullopt;
    const bool number = use.type == ValueType::signed_number ||
                        use.type == ValueType::unsigned_number || use.type == ValueType::boolean;
    const bool text = use.type == ValueType::text || use.type == ValueType::bytes;
    switch (test.comparison.op()) {
    case Op::eq:
    case Op::in:
    case Op::intersects:
        return number || text ? std::optional<Group::Type>(Group::Type::equal) : std::nullopt;
    case Op::startswith:
    case Op::bstartswith: return Group::Type::prefix;
    case Op::endswith: return Group::Type::suffix;
    case Op::contains:
    case Op::bcontains: return Group::Type::substring;
    case Op::icontains: return Group::Type::folded;
    case Op::exists:
    case Op::ne:
    case Op::lt:
    case Op::le:
    case Op::gt:
    case Op::ge:
    case Op::glob:
    case Op::iglob:
    case Op::regex:
    case Op::pmatch: break;
    }
    return std::nullopt;
}

// A group of equalities has a row of bits for each literal, so its size grows with the square of
// the number of its comparisons. Larger sets are split.
constexpr std::size_t kMostBits = 2048;

// From how many literals on one pass over all of them is cheaper than one test each. A substring
// automaton reads the whole value byte by byte, which a few searches with the C library's memmem()
// beat.
std::size_t worth(Group::Type type, bool numbers) {
    switch (type) {
    case Group::Type::equal: return numbers ? 3 : 2;
    case Group::Type::prefix:
    case Group::Type::suffix: return 3;
    case Group::Type::substring: return 6;
    case Group::Type::folded: return 3;
    }
    return 2;
}

} // namespace

void GroupBuilder::add(NodeId id) {
    const Test& test = graph_.test_of(id);
    const FieldUse& use = graph_.slots()[test.slot].use;
    const std::optional<Group::Type> type = group_type(test, use);
    if (!type)
        return;
    const bool every = use.plurality == Plurality::list && test.comparison.op() == Op::in;
    Members& members = members_[{test.slot, *type, every}];
    members.nodes.push_back(id);
    members.literals += test.comparison.literals().size();
}

std::vector<Group> GroupBuilder::build() {
    std::vector<Group> groups;
    for (const auto& [key, members] : members_) {
        const ValueType type = graph_.slots()[std::get<0>(key)].use.type;
        const bool numbers = type != ValueType::text && type != ValueType::bytes;
        if (members.literals < worth(std::get<1>(key), numbers))
            continue;
        const std::span<const NodeId> all(members.nodes);
        for (std::size_t first = 0; first < all.size(); first += kMostBits) {
            const auto part = all.subspan(first, std::min(kMostBits, all.size() - first));
            for (std::uint32_t bit = 0; bit < part.size(); ++bit)
                places_[part[bit]] = {static_cast<std::uint32_t>(groups.size()), bit};
            groups.push_back(make(key, part));
            groups.back().numbers = numbers;
        }
    }
    return groups;
}

GroupBuilder::Place GroupBuilder::place(NodeId id) const {
    const auto found = places_.find(id);
    return found == places_.end() ? Place{} : found->second;
}

Group GroupBuilder::make(const Key& key, std::span<const NodeId> nodes) const {
    Group group;
    std::tie(group.slot, group.type, group.every) = key;
    group.bits = static_cast<std::uint32_t>(nodes.size());
    group.words = words_for(group.bits);
    const bool trie = group.type == Group::Type::prefix || group.type == Group::Type::suffix;
    if (group.type == Group::Type::equal) {
        fill_equal(group, nodes);
        return group;
    }
    if (trie)
        group.prefixes = std::make_unique<PrefixSet>(group.type == Group::Type::suffix);
    else
        group.substrings = std::make_unique<SubstringSet>(group.type == Group::Type::folded);
    for (std::uint32_t bit = 0; bit < group.bits; ++bit) {
        const std::string& literal = graph_.test_of(nodes[bit]).comparison.literals()[0];
        trie ? group.prefixes->add(literal, bit) : group.substrings->add(literal, bit);
    }
    trie ? group.prefixes->freeze() : group.substrings->freeze();
    return group;
}

void GroupBuilder::fill_equal(Group& group, std::span<const NodeId> nodes) const {
    for (const NodeId id : nodes) {
        for (const std::string& literal : graph_.test_of(id).comparison.literals())
            group.table.add(literal);
    }
    group.rows.assign((group.table.size() + 1) * std::size_t{group.words}, 0);
    for (std::uint32_t bit = 0; bit < group.bits; ++bit) {
        for (const std::string& literal : graph_.test_of(nodes[bit]).comparison.literals())
            set_bit(&group.rows[group.table.add(literal) * std::size_t{group.words}], bit);
    }
    group.table.freeze();
}

} // namespace tiercel::filter
