// SPDX-License-Identifier: Apache-2.0
//
// Graph: the conditions of all rules as one graph without duplicates. The same comparison, or the
// same combination of them, is one node however many rules, macros and lists spell it out; so
// whoever evaluates the graph can answer it once per event. Nodes are simplified as they are made
// (`x and true` is x).
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

// A value that comparisons look at: a field, or what a transformer makes of others.
struct Slot {
    struct Input {
        SlotId slot = kNoSlot; // kNoSlot: the literal
        std::string literal;
    };
    FieldUse use; // type and plurality are the transformed ones
    Transform transform = Transform::none;
    std::vector<Input> inputs;
    std::string separator; // join
    bool of_list = false;  // len: counts values
};

struct Test {
    SlotId slot = kNoSlot;
    SlotId right = kNoSlot; // a field to compare with, in place of constants
    Comparison comparison;
};

struct GraphNode {
    enum class Kind : std::uint8_t { constant, all, any, negation, test };
    Kind kind = Kind::constant;
    std::vector<NodeId> children; // the most telling for its price first
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

    // What is left of a node once evt.type is known to be `event_type`. `known` remembers the
    // answers for that type, and must be empty at first.
    using Known = std::unordered_map<NodeId, NodeId>;
    NodeId specialize(NodeId id, std::string_view event_type, Known& known);

  private:
    NodeId combine(GraphNode::Kind kind, const std::vector<NodeId>& children);
    NodeId add(GraphNode node, std::string key);
    void order_children(GraphNode& node) const;

    std::vector<GraphNode> nodes_;
    std::vector<Test> tests_;
    std::vector<Slot> slots_;
    std::unordered_map<std::string, NodeId> ids_;
    std::unordered_map<std::string, SlotId> slot_ids_;
};

} // namespace tiercel::filter
