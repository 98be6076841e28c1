// SPDX-License-Identifier: Apache-2.0
//
// Graph: makes nodes, each once, with an estimate of their cost.
#include "analyzer/match/graph.h"

#include <algorithm>
#include <array>

namespace tiercel::filter {

namespace {

struct Estimate {
    float cost;
    float chance;
};

// The cost of a comparison without the fetch of its field, and how often it holds. The figures are
// guesses from usual rules; they order the evaluation and change no result.
Estimate estimate(const Comparison& comparison) {
    switch (comparison.op()) {
    case Op::exists: return {0.5F, 0.9F};
    case Op::eq: return {1, 0.1F};
    case Op::ne: return {1, 0.9F};
    case Op::in:
    case Op::intersects: return {2, 0.15F};
    case Op::lt:
    case Op::le:
    case Op::gt:
    case Op::ge: return {1, 0.5F};
    case Op::startswith:
    case Op::bstartswith:
    case Op::endswith: return {2, 0.1F};
    case Op::contains:
    case Op::bcontains: return {8, 0.1F};
    case Op::icontains: return {15, 0.1F};
    case Op::pmatch: return {10, 0.2F};
    case Op::glob:
    case Op::iglob: return {20, 0.1F};
    case Op::regex: return {60, 0.1F};
    }
    return {1, 0.5F};
}

} // namespace

Graph::Graph() {
    GraphNode constant;
    nodes_.push_back(constant); // kFalse
    constant.chance = 1;
    nodes_.push_back(constant); // kTrue
}

SlotId Graph::slot(Slot slot) {
    std::string key = std::to_string(static_cast<int>(slot.transform)) + '/';
    key += slot.transform == Transform::none ? std::to_string(slot.use.id) : slot.argument + '/';
    for (const Slot::Input& input : slot.inputs) {
        key += std::to_string(input.slot) + ':' + std::to_string(input.literal.size()) + ':' +
               input.literal + ',';
    }
    const auto [entry, fresh] = slot_ids_.try_emplace(key, static_cast<SlotId>(slots_.size()));
    if (fresh)
        slots_.push_back(std::move(slot));
    return entry->second;
}

NodeId Graph::add(GraphNode node, std::string key) {
    const auto [entry, fresh] =
        ids_.try_emplace(std::move(key), static_cast<NodeId>(nodes_.size()));
    if (fresh) {
        edges_ += node.children.size();
        nodes_.push_back(std::move(node));
    }
    return entry->second;
}

NodeId Graph::test(Test test) {
    const bool set = takes_list(test.comparison.op());
    if (set && test.right == kNoSlot && test.comparison.literals().empty() &&
        test.comparison.plurality() != Plurality::list)
        return kFalse;
    const std::string key = 't' + std::to_string(test.slot) + '/' + std::to_string(test.right) +
                            '/' + test.comparison.key();
    const Slot& left = slots_[test.slot];
    const Estimate guess = estimate(test.comparison);
    GraphNode node;
    node.kind = GraphNode::Kind::test;
    node.test = static_cast<std::uint32_t>(tests_.size());
    node.asks_type =
        left.use.is_event_type && left.transform == Transform::none && test.right == kNoSlot;
    node.cost = guess.cost + left.use.cost;
    node.chance = guess.chance;
    const std::size_t before = nodes_.size();
    const NodeId id = add(std::move(node), key);
    if (nodes_.size() != before)
        tests_.push_back(std::move(test));
    return id;
}

NodeId Graph::negate(NodeId child) {
    if (child == kFalse || child == kTrue)
        return child == kFalse ? kTrue : kFalse;
    const GraphNode& inner = nodes_[child];
    if (inner.kind == GraphNode::Kind::negation)
        return inner.children[0];
    GraphNode node;
    node.kind = GraphNode::Kind::negation;
    node.children = {child};
    node.asks_type = inner.asks_type;
    node.cost = inner.cost;
    node.chance = 1 - inner.chance;
    return add(std::move(node), 'n' + std::to_string(child));
}

// `and` evaluates cheap nodes that are likely false first, `or` cheap nodes that are likely true.
void Graph::order_children(GraphNode& node) const {
    const bool all = node.kind == GraphNode::Kind::all;
    const auto rank = [&](NodeId id) {
        const GraphNode& child = nodes_[id];
        const float decides = all ? 1 - child.chance : child.chance;
        return child.cost / std::max(decides, 0.01F);
    };
    std::stable_sort(node.children.begin(), node.children.end(),
                     [&](NodeId a, NodeId b) { return rank(a) < rank(b); });
    float reached = 1; // the probability that evaluation reaches the next child
    for (const NodeId id : node.children) {
        const GraphNode& child = nodes_[id];
        node.cost += reached * child.cost;
        reached *= all ? child.chance : 1 - child.chance;
        node.asks_type = node.asks_type || child.asks_type;
    }
    node.chance = all ? reached : 1 - reached;
}

NodeId Graph::combine(GraphNode::Kind kind, const std::vector<NodeId>& children) {
    const NodeId neutral = kind == GraphNode::Kind::all ? kTrue : kFalse;
    const NodeId deciding = kind == GraphNode::Kind::all ? kFalse : kTrue;
    std::vector<NodeId> flat;
    for (const NodeId id : children) {
        if (nodes_[id].kind == kind)
            flat.insert(flat.end(), nodes_[id].children.begin(), nodes_[id].children.end());
        else if (id != neutral)
            flat.push_back(id);
    }
    std::sort(flat.begin(), flat.end());
    flat.erase(std::unique(flat.begin(), flat.end()), flat.end());
    if (std::find(flat.begin(), flat.end(), deciding) != flat.end())
        return deciding;
    if (flat.empty())
        return neutral;
    if (flat.size() == 1)
        return flat[0];
    std::string key(1, kind == GraphNode::Kind::all ? 'a' : 'o');
    for (const NodeId id : flat)
        key += std::to_string(id) + ',';
    GraphNode node;
    node.kind = kind;
    node.children = std::move(flat);
    order_children(node);
    return add(std::move(node), std::move(key));
}

NodeId Graph::specialize(NodeId id, std::string_view event_type, Known& known) {
    if (!nodes_[id].asks_type)
        return id;
    const auto found = known.find(id);
    if (found != known.end())
        return found->second;
    NodeId result = kFalse;
    const GraphNode::Kind kind = nodes_[id].kind;
    if (kind == GraphNode::Kind::test) {
        Value value;
        value.text = event_type;
        result = test_of(id).comparison.holds(Values{true, &value, 1}) ? kTrue : kFalse;
    } else {
        std::vector<NodeId> children = nodes_[id].children; // a copy: new nodes move the old ones
        for (NodeId& child : children)
            child = specialize(child, event_type, known);
        result = kind == GraphNode::Kind::negation ? negate(children[0]) : combine(kind, children);
    }
    known.emplace(id, result);
    return result;
}

} // namespace tiercel::filter
