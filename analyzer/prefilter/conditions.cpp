// SPDX-License-Identifier: Apache-2.0
//
// Implements the upper bound of conditions. A negation is pushed down to the comparisons, so that
// the bound of each is from above.
#include "analyzer/prefilter/conditions.h"

#include <algorithm>

namespace tiercel::prefilter {

namespace {

using Kind = filter::GraphNode::Kind;

bool holds_text(const filter::Comparison& comparison, std::string_view text) {
    filter::Value value;
    value.text = text;
    return comparison.holds(filter::Values{true, &value, 1});
}

} // namespace

Boxes Conditions::boxes_of(filter::NodeId condition, const Call& call) {
    if (code_ != call.code)
        known_.clear();
    code_ = call.code;
    return evaluate(condition, false, call);
}

Boxes Conditions::evaluate(filter::NodeId id, bool negated, const Call& call) {
    const auto found = known_.find({id, negated});
    if (found != known_.end())
        return found->second;
    const filter::GraphNode& node = graph_.node(id);
    Boxes boxes;
    switch (node.kind) {
    case Kind::constant: boxes = (id == filter::kTrue) != negated ? everything() : Boxes(); break;
    case Kind::negation: boxes = evaluate(node.children[0], !negated, call); break;
    case Kind::all:
    case Kind::any:
        if ((node.kind == Kind::all) != negated) {
            boxes = everything();
            for (const filter::NodeId child : node.children)
                boxes = intersection(boxes, evaluate(child, negated, call));
        } else {
            for (const filter::NodeId child : node.children)
                unite(boxes, evaluate(child, negated, call));
        }
        break;
    case Kind::test:
        if (node.asks_type) {
            const auto& comparison = graph_.test_of(id).comparison;
            boxes = holds_text(comparison, event::find(call.code)->name) != negated ? everything()
                                                                                    : Boxes();
        } else {
            boxes = comparisons_.boxes_of(id, negated, call);
        }
        break;
    }
    known_.emplace(std::pair(id, negated), boxes);
    return boxes;
}

bool Conditions::asks_whether_connected(filter::NodeId condition, std::string_view event) {
    if (!knows_connected_)
        return false;
    const Answer answer = decide(condition, event, [this](const filter::Test& test) {
        if (test.right != filter::kNoSlot || comparisons_.plain_field(test.slot) != "fd.l4proto")
            return Truth::unknown;
        return holds_text(test.comparison, "tcp") ? Truth::yes : Truth::no;
    });
    return std::ranges::any_of(answer.open, [this](filter::NodeId id) {
        const filter::Test& test = graph_.test_of(id);
        return comparisons_.reads(test.slot, "fd.connected") ||
               comparisons_.reads(test.right, "fd.connected");
    });
}

Conditions::Answer Conditions::decide(filter::NodeId id, std::string_view event,
                                      const Judge& judge) const {
    const filter::GraphNode& node = graph_.node(id);
    switch (node.kind) {
    case Kind::constant: return {id == filter::kTrue ? Truth::yes : Truth::no, {}};
    case Kind::test: {
        const filter::Test& test = graph_.test_of(id);
        const Truth truth = !node.asks_type                      ? judge(test)
                            : holds_text(test.comparison, event) ? Truth::yes
                                                                 : Truth::no;
        return {truth, truth == Truth::unknown ? std::vector{id} : std::vector<filter::NodeId>()};
    }
    case Kind::negation: {
        Answer answer = decide(node.children[0], event, judge);
        if (answer.truth != Truth::unknown)
            answer.truth = answer.truth == Truth::yes ? Truth::no : Truth::yes;
        return answer;
    }
    case Kind::all:
    case Kind::any: break;
    }
    const Truth deciding = node.kind == Kind::all ? Truth::no : Truth::yes;
    Answer answer{node.kind == Kind::all ? Truth::yes : Truth::no, {}};
    for (const filter::NodeId child : node.children) {
        Answer part = decide(child, event, judge);
        if (part.truth == deciding)
            return {deciding, {}};
        if (part.truth == Truth::unknown)
            answer.truth = Truth::unknown;
        answer.open.insert(answer.open.end(), part.open.begin(), part.open.end());
    }
    return answer;
}

} // namespace tiercel::prefilter
