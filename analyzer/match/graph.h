// SPDX-License-Identifier: Apache-2.0
//
// Graph: the conditions of all rules as one graph without duplicates
//
// The same comparison, or the same combination of comparisons, is one node, however many rules,
// macros and lists contain it. So an evaluation computes it once for an event. The graph simplifies
// nodes when it makes them (`x and true` is x).
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "analyzer/language/field.h"
#include "analyzer/match/comparison.h"

namespace tiercel::filter {

using NodeId = std::uint32_t;
using SlotId = std::uint32_t;
inline constexpr NodeId kFalse = 0;
inline constexpr NodeId kTrue = 1;
inline constexpr SlotId kNoSlot = UINT32_MAX;

// A value that comparisons use: a field, or the result of a transformer on other slots.
struct Slot {
    struct Input {
        SlotId slot = kNoSlot; // kNoSlot: the input is the literal
        std::string literal;
    };
    FieldUse use; // type and plurality are those after the transformation
    Transform transform = Transform::none;
    std::vector<Input> inputs; // join: the separator first; getopt: the options first
    std::string argument;      // getopt: the letter in brackets
    bool of_list = false;      // len: counts values
};

struct Test {
    SlotId slot = kNoSlot;
    SlotId right = kNoSlot; // the field on the right side; kNoSlot: constants
    Comparison comparison;
};

struct GraphNode {
    enum class Kind : std::uint8_t { constant, all, any, negation, test };
    Kind kind = Kind::constant;
    std::vector<NodeId> children; // first those that decide most for their cost
    std::uint32_t test = 0;
    bool asks_type = false; // contains a comparison of evt.type
    float cost = 0;         // of an evaluation, roughly in units of one number compared
    float chance = 0;       // of being true
};

class Graph {
  public:
    Graph();
    SlotId slot(Slot slot);
    NodeId test(Test test);
    NodeId all(const std::vector<NodeId>& children) {
        return combine(GraphNode::Kind::all, children);
    }
    NodeId any(const std::vector<NodeId>& children) {
        return combine(GraphNode::Kind::any, children);
    }
    NodeId negate(NodeId child);

    const GraphNode& node(NodeId id) const { return nodes_[id]; }
    const Test& test_of(NodeId id) const { return tests_[nodes_[id].test]; }
    const std::vector<Slot>& slots() const { return slots_; }
    std::size_t size() const { return nodes_.size(); }
    // Returns true if the graph has grown so large that no further condition should be added.
    bool is_full() const { return edges_ > kMostEdges; }

    // Returns the node that remains of `id` if evt.type is `event_type`. `known` caches the answers
    // for one type; it must be empty at the first call.
    using Known = std::unordered_map<NodeId, NodeId>;
    NodeId specialize(NodeId id, std::string_view event_type, Known& known);

  private:
    static constexpr std::size_t kMostEdges = 4'000'000;

    NodeId combine(GraphNode::Kind kind, const std::vector<NodeId>& children);
    NodeId add(GraphNode node, std::string key);
    void order_children(GraphNode& node) const;

    std::vector<GraphNode> nodes_;
    std::size_t edges_ = 0; // children of all nodes
    std::vector<Test> tests_;
    std::vector<Slot> slots_;
    std::unordered_map<std::string, NodeId> ids_;
    std::unordered_map<std::string, SlotId> slot_ids_;
};

} // namespace tiercel::filter
