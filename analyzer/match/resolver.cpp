// SPDX-License-Identifier: Apache-2.0
#include "analyzer/match/resolver.h"

#include <algorithm>

#include "analyzer/language/suggest.h"
#include "analyzer/match/event_kind.h"

namespace tiercel::filter {

namespace {

std::string nearest_event_type(const std::string& word) {
    Suggestion best(word);
    for (const event::EventInfo& info : event::events())
        best.consider(info.name);
    for (const event::SyscallInfo& call : event::syscalls())
        best.consider(call.name);
    return best.hint();
}

bool is_text(ValueType type) {
    return type == ValueType::text;
}
bool is_textual(ValueType type) {
    return type == ValueType::text || type == ValueType::bytes;
}

// `!=` by way of `=`, where that means the same: then both share one look-up.
bool is_negated_equality(const Comparison& comparison) {
    const ValueType type = comparison.type();
    return comparison.op() == Op::ne && comparison.plurality() != Plurality::any &&
           type != ValueType::real && type != ValueType::address && type != ValueType::network;
}

} // namespace

NodeId Resolver::resolve(const Node& node, Scope& scope, std::vector<Issue>& issues) {
    switch (node.kind) {
    case Node::Kind::check: return resolve_check(node, scope, issues);
    case Node::Kind::macro: return resolve_macro(node, scope, issues);
    case Node::Kind::negation: return graph_.negate(resolve(node.children[0], scope, issues));
    default: break;
    }
    std::vector<NodeId> children;
    for (const Node& child : node.children)
        children.push_back(resolve(child, scope, issues));
    return node.kind == Node::Kind::all ? graph_.all(std::move(children))
                                        : graph_.any(std::move(children));
}

NodeId Resolver::resolve_macro(const Node& node, Scope& scope, std::vector<Issue>& issues) {
    Issue issue;
    issue.span = node.span;
    const std::optional<NodeId> macro = scope.macro(node.macro, issue);
    if (!macro && !issue.message.empty())
        issues.push_back(std::move(issue));
    return macro.value_or(kFalse);
}

NodeId Resolver::resolve_check(const Node& node, Scope& scope, std::vector<Issue>& issues) {
    const Check& check = node.check[0];
    const std::optional<SlotId> slot = slot_of(check.left, issues);
    if (!slot) {
        for (const Operand& right : check.right) // its mistakes are worth hearing of too
            slot_of(right, issues);
        return kFalse;
    }
    return check.right.empty() ? compare(node, *slot, scope, issues)
                               : compare_fields(node, *slot, issues);
}

NodeId Resolver::compare(const Node& node, SlotId slot, Scope& scope, std::vector<Issue>& issues) {
    const Check& check = node.check[0];
    std::vector<std::string> values;
    std::vector<Span> spans; // of each value; those of a list share the name's
    for (const Literal& literal : check.values) {
        const std::vector<std::string>* list =
            takes_list(check.op) && !literal.quoted ? scope.list(literal.text) : nullptr;
        if (list == nullptr)
            values.push_back(literal.text);
        else
            values.insert(values.end(), list->begin(), list->end());
        spans.resize(values.size(), literal.span);
    }
    const FieldUse& use = graph_.slots()[slot].use;
    if (use.is_event_type && !check_event_types(check, values, spans, issues))
        return kFalse;
    if (use.is_distance && check.op != Op::eq) {
        issues.push_back({node.span, "evt.around is compared with '=' only",
                          "evt.around[TIME]=MS: within so many milliseconds of that time", false});
        return kFalse;
    }
    ComparisonProblem problem;
    std::optional<Comparison> comparison = Comparison::make(
        use.type, use.plurality, use.is_distance ? Op::le : check.op, values, problem);
    if (!comparison) {
        const Span span = problem.value < spans.size() ? spans[problem.value] : node.span;
        issues.push_back({span, problem.message, problem.hint, false});
        return kFalse;
    }
    return make_test(slot, std::move(*comparison));
}

NodeId Resolver::make_test(SlotId slot, Comparison comparison) {
    if (!is_negated_equality(comparison))
        return graph_.test({slot, kNoSlot, std::move(comparison)});
    const FieldUse use = graph_.slots()[slot].use;
    ComparisonProblem none;
    Comparison there = *Comparison::make(use.type, use.plurality, Op::exists, {}, none);
    return graph_.all({graph_.test({slot, kNoSlot, std::move(there)}),
                       graph_.negate(graph_.test({slot, kNoSlot, comparison.as_equality()}))});
}

bool Resolver::check_event_types(const Check& check, const std::vector<std::string>& values,
                                 const std::vector<Span>& spans, std::vector<Issue>& issues) {
    if (check.op != Op::eq && check.op != Op::ne && check.op != Op::in)
        return true;
    bool good = true;
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (is_event_type(values[i]))
            continue;
        issues.push_back({spans[i], "unknown event type '" + values[i] + "'",
                          nearest_event_type(values[i]), true});
        good = false;
    }
    return good;
}

NodeId Resolver::compare_fields(const Node& node, SlotId slot, std::vector<Issue>& issues) {
    const Check& check = node.check[0];
    const std::optional<SlotId> right = slot_of(check.right[0], issues);
    if (!right)
        return kFalse;
    const FieldUse& a = graph_.slots()[slot].use;
    const FieldUse& b = graph_.slots()[*right].use;
    if (a.is_distance || b.is_distance) {
        issues.push_back({node.span, "evt.around is compared with a number only", {}, false});
        return kFalse;
    }
    const bool one_list = (a.plurality == Plurality::list) != (b.plurality == Plurality::list);
    if (a.type != b.type || one_list) {
        issues.push_back({node.span,
                          std::string("the two sides do not compare: ") +
                              (a.plurality == Plurality::list ? "a list of " : "") +
                              std::string(type_description(a.type)) + " and " +
                              (b.plurality == Plurality::list ? "a list of " : "") +
                              std::string(type_description(b.type)),
                          {},
                          false});
        return kFalse;
    }
    ComparisonProblem problem;
    std::optional<Comparison> comparison =
        Comparison::make_between(a.type, a.plurality, check.op, problem);
    if (!comparison) {
        issues.push_back({node.span, problem.message, problem.hint, false});
        return kFalse;
    }
    return graph_.test({slot, *right, std::move(*comparison)});
}

std::optional<SlotId> Resolver::slot_of(const Operand& operand, std::vector<Issue>& issues) {
    if (operand.transform == Transform::val)
        return slot_of(operand.operands[0], issues);
    if (operand.transform != Transform::none)
        return transformed(operand, issues);
    Slot slot;
    FieldCatalog::Problem problem;
    if (!fields_.resolve(operand, slot.use, problem)) {
        issues.push_back({operand.span, problem.message, problem.hint, problem.unknown});
        return std::nullopt;
    }
    return graph_.slot(std::move(slot));
}

std::optional<SlotId> Resolver::transformed(const Operand& operand, std::vector<Issue>& issues) {
    Slot slot;
    slot.transform = operand.transform;
    bool good = true;
    unsigned cost = 4;
    for (const Operand& inner : operand.operands) {
        Slot::Input& input = slot.inputs.emplace_back();
        if (inner.is_literal) {
            input.literal = inner.name;
            continue;
        }
        const std::optional<SlotId> id = slot_of(inner, issues);
        good = good && id.has_value();
        input.slot = id.value_or(kNoSlot);
        cost += id ? graph_.slots()[*id].use.cost : 0;
    }
    slot.use.cost = static_cast<std::uint8_t>(std::min(cost, 250U));
    if (!good || !apply_type(slot, operand, issues))
        return std::nullopt;
    return graph_.slot(std::move(slot));
}

// The type that the transformer gives, from those of its operands.
bool Resolver::apply_type(Slot& slot, const Operand& operand, std::vector<Issue>& issues) {
    const std::string name(transform_name(slot.transform));
    const auto refuse = [&](const std::string& why) {
        issues.push_back({operand.span, name + "() " + why, {}, false});
        return false;
    };
    if (slot.transform == Transform::join) {
        // The separator is the literal at either end: both orders are in use.
        auto& inputs = slot.inputs;
        const auto literal = inputs.front().slot == kNoSlot ? inputs.begin() : inputs.end() - 1;
        if (inputs.size() < 2 || literal->slot != kNoSlot)
            return refuse("takes a separator in quotes, and fields");
        slot.separator = literal->literal;
        inputs.erase(literal);
    }
    if (slot.transform == Transform::join || slot.transform == Transform::concat)
        return true; // a single text
    const FieldUse& inner = graph_.slots()[slot.inputs[0].slot].use;
    slot.use.plurality = inner.plurality;
    slot.use.type = inner.type;
    if (slot.transform == Transform::len) {
        const bool list = inner.plurality == Plurality::list;
        if (!list && !is_textual(inner.type))
            return refuse("needs a text, bytes or a list");
        slot.of_list = list;
        slot.use.plurality = list ? Plurality::single : inner.plurality;
        slot.use.type = ValueType::unsigned_number;
        return true;
    }
    if (slot.transform == Transform::b64)
        return is_textual(inner.type) || refuse("needs a text or bytes");
    return is_text(inner.type) || refuse("needs a text");
}

} // namespace tiercel::filter
