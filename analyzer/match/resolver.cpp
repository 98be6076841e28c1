// SPDX-License-Identifier: Apache-2.0
//
// Resolver: comparisons with constants, with lists under a quantifier, and between fields; then the
// slots of fields and transformers.
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

// A list after oneof, anyof or allof has at most so many values, because each becomes a test.
constexpr std::size_t kMostQuantified = 10'000;

// All conditions together have at most so many values, after lists are expanded.
constexpr std::size_t kMostValues = 3'000'000;

// Mistakes in a condition after which no more are looked for. After many conditions it is one.
constexpr std::size_t kMostIssues = 100;

std::string call_name(const Operand& operand) {
    return std::string(transform_name(operand.transform)) + "()";
}

// Returns true if `!=` means "has a value and not `=`": then both share one test.
bool is_negated_equality(const Comparison& comparison) {
    const ValueType type = comparison.type();
    return comparison.op() == Op::ne && comparison.plurality() != Plurality::any &&
           type != ValueType::real && type != ValueType::address && type != ValueType::network;
}

} // namespace

NodeId Resolver::resolve(const Node& node, Scope& scope, std::vector<Issue>& issues) {
    std::vector<NodeId> children;
    if (has_enough(issues))
        return kFalse;
    if (graph_.is_full()) {
        issues.push_back({node.span, "the conditions of all rules together are too large", {}});
        return kFalse;
    }
    switch (node.kind) {
    case Node::Kind::check: return resolve_check(node, scope, issues);
    case Node::Kind::macro: return resolve_macro(node, scope, issues);
    case Node::Kind::negation: return graph_.negate(resolve(node.children[0], scope, issues));
    case Node::Kind::all:
    case Node::Kind::any:
        children.reserve(node.children.size());
        for (const Node& child : node.children)
            children.push_back(resolve(child, scope, issues));
        return node.kind == Node::Kind::all ? graph_.all(children) : graph_.any(children);
    }
    return kFalse;
}

bool Resolver::has_enough(const std::vector<Issue>& issues) const {
    return issues.size() >= (hints_left_ > 0 ? kMostIssues : 1);
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
        for (const Operand& right : check.right) // report the mistakes of the right side too
            slot_of(right, issues);
        return kFalse;
    }
    return check.right.empty() ? compare_constants(node, *slot, scope, issues)
                               : compare_fields(node, *slot, issues);
}

NodeId Resolver::compare_constants(const Node& node, SlotId slot, Scope& scope,
                                   std::vector<Issue>& issues) {
    const Check& check = node.check[0];
    const bool of_list = takes_list(check.op) || check.quantifier != Quantifier::none;
    Constants constants;
    constants.whole = node.span;
    for (const Literal& literal : check.values) {
        const std::vector<std::string>* list =
            of_list && !literal.quoted ? scope.list(literal.text) : nullptr;
        values_ += list == nullptr ? 1 : list->size();
        if (values_ > kMostValues)
            break;
        if (list == nullptr)
            constants.values.push_back(literal.text);
        else
            constants.values.insert(constants.values.end(), list->begin(), list->end());
        constants.spans.resize(constants.values.size(), literal.span);
    }
    if (values_ > kMostValues) {
        issues.push_back({node.span,
                          "the conditions have more than " + std::to_string(kMostValues) +
                              " values when lists are expanded",
                          "use the largest lists in fewer conditions"});
        return kFalse;
    }
    const FieldUse& use = graph_.slots()[slot].use;
    const bool never = never_holds(check, slot, constants, issues);
    if (use.is_event_type && !check_event_types(check, constants, issues))
        return kFalse;
    if (use.is_distance && (check.op != Op::eq || check.quantifier != Quantifier::none)) {
        issues.push_back({node.span, "evt.around is compared with '=' only",
                          "evt.around[TIME]=MS: within so many milliseconds of that time"});
        return kFalse;
    }
    const NodeId compared =
        check.quantifier != Quantifier::none
            ? compare_quantified(check, slot, constants, issues)
            : compare(slot, use.is_distance ? Op::le : check.op, constants, issues);
    return never ? kFalse : compared;
}

// Reports comparisons that never hold. Returns true if `check` is one.
bool Resolver::never_holds(const Check& check, SlotId slot, const Constants& constants,
                           std::vector<Issue>& issues) const {
    const auto report = [&](Issue::Weight weight, std::string message, std::string hint) {
        issues.push_back({constants.whole, std::move(message), std::move(hint), false, weight});
        return true;
    };
    const FieldUse& use = graph_.slots()[slot].use;
    const bool list = takes_list(check.op) || check.quantifier != Quantifier::none;
    if (!use.never.empty())
        return report(Issue::Weight::remark, check.left.name + " has no value",
                      std::string(use.never));
    if (list && constants.values.empty() && use.plurality != Plurality::list)
        return report(Issue::Weight::remark, "a list is empty", {});
    if (check.left.name == "evt.dir" && check.op == Op::eq && constants.values.size() == 1 &&
        constants.values[0] == ">")
        return report(Issue::Weight::warning, "there are only exit events, as in Falco since 0.42",
                      "remove the comparison, or compare with '<'");
    return false;
}

NodeId Resolver::compare_quantified(const Check& check, SlotId slot, const Constants& constants,
                                    std::vector<Issue>& issues) {
    if (check.op == Op::eq && check.quantifier == Quantifier::anyof &&
        graph_.slots()[slot].use.plurality != Plurality::list)
        return compare(slot, Op::in, constants, issues);
    if (constants.values.size() > kMostQuantified) {
        issues.push_back({constants.whole,
                          "the list after '" + std::string(quantifier_name(check.quantifier)) +
                              "' has more than " + std::to_string(kMostQuantified) + " values",
                          "use 'in' or 'pmatch' for long lists"});
        return kFalse;
    }
    std::vector<NodeId> tests;
    for (std::size_t i = 0; i < constants.values.size(); ++i)
        tests.push_back(compare(slot, check.op,
                                {{constants.values[i]}, {constants.spans[i]}, constants.whole},
                                issues));
    if (tests.empty())
        return kFalse;
    switch (check.quantifier) {
    case Quantifier::oneof: return exactly_one(tests);
    case Quantifier::anyof: return graph_.any(tests);
    case Quantifier::allof: return graph_.all(tests);
    case Quantifier::none: break;
    }
    return kFalse;
}

// Splits the nodes in halves, so that the graph grows by n log n and not by n².
NodeId Resolver::exactly_one(std::span<const NodeId> nodes) {
    if (nodes.size() == 1)
        return nodes[0];
    const auto left = nodes.first(nodes.size() / 2), right = nodes.subspan(nodes.size() / 2);
    const auto none = [this](std::span<const NodeId> half) {
        return graph_.negate(graph_.any({half.begin(), half.end()}));
    };
    return graph_.any({graph_.all({exactly_one(left), none(right)}),
                       graph_.all({none(left), exactly_one(right)})});
}

NodeId Resolver::compare(SlotId slot, Op op, const Constants& constants,
                         std::vector<Issue>& issues) {
    ComparisonProblem problem;
    std::optional<Comparison> comparison =
        Comparison::make(graph_.slots()[slot].use, op, constants.values, problem);
    if (comparison)
        return make_test(slot, std::move(*comparison));
    const bool of_value = problem.value < constants.spans.size();
    issues.push_back({of_value ? constants.spans[problem.value] : constants.whole, problem.message,
                      problem.hint});
    return kFalse;
}

NodeId Resolver::make_test(SlotId slot, Comparison comparison) {
    if (!is_negated_equality(comparison))
        return graph_.test({slot, kNoSlot, std::move(comparison)});
    ComparisonProblem none;
    Comparison there = *Comparison::make(graph_.slots()[slot].use, Op::exists, {}, none);
    return graph_.all({graph_.test({slot, kNoSlot, std::move(there)}),
                       graph_.negate(graph_.test({slot, kNoSlot, comparison.as_equality()}))});
}

bool Resolver::check_event_types(const Check& check, const Constants& constants,
                                 std::vector<Issue>& issues) {
    if (check.op != Op::eq && check.op != Op::ne && check.op != Op::in)
        return true;
    bool good = true;
    for (std::size_t i = 0; i < constants.values.size(); ++i) {
        const std::string& value = constants.values[i];
        if (is_event_type(value))
            continue;
        issues.push_back({constants.spans[i], "unknown event type '" + value + "'",
                          wants_hint() ? nearest_event_type(value) : std::string(), true});
        good = false;
        if (has_enough(issues))
            break;
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
        issues.push_back({node.span, "evt.around is compared with a number only", {}});
        return kFalse;
    }
    const bool one_list = (a.plurality == Plurality::list) != (b.plurality == Plurality::list);
    if (a.type != b.type || (one_list && !takes_list(check.op))) {
        issues.push_back({node.span,
                          "the two sides have different types: " + type_description(a) + " and " +
                              type_description(b),
                          {}});
        return kFalse;
    }
    ComparisonProblem problem;
    std::optional<Comparison> comparison = Comparison::make_between(a, check.op, problem);
    if (!comparison) {
        issues.push_back({node.span, problem.message, problem.hint});
        return kFalse;
    }
    return graph_.test({slot, *right, std::move(*comparison)});
}

std::optional<SlotId> Resolver::slot_of(const Operand& operand, std::vector<Issue>& issues,
                                        bool as_list) {
    if (operand.transform == Transform::val)
        return slot_of(operand.operands[0], issues, as_list);
    if (operand.kind == Operand::Kind::call)
        return transformed(operand, issues);
    Slot slot;
    FieldCatalog::Problem problem;
    if (!(as_list ? fields_.resolve_list(operand, slot.use, problem)
                  : fields_.resolve(operand, slot.use, problem))) {
        wants_hint();
        issues.push_back({operand.span, problem.message, problem.hint, problem.unknown});
        return std::nullopt;
    }
    return graph_.slot(std::move(slot));
}

std::optional<SlotId> Resolver::transformed(const Operand& operand, std::vector<Issue>& issues) {
    Slot slot;
    slot.transform = operand.transform;
    slot.argument = operand.argument;
    if (!add_inputs(slot, operand, issues) || !set_type(slot, operand, issues))
        return std::nullopt;
    unsigned cost = 4;
    for (const Slot::Input& input : slot.inputs)
        cost += input.slot != kNoSlot ? graph_.slots()[input.slot].use.cost : 0;
    slot.use.cost = static_cast<std::uint8_t>(std::min(cost, 250U));
    return graph_.slot(std::move(slot));
}

// Checks that the operands have the transformer's form, and adds them in the order that
// Slot::inputs says.
bool Resolver::add_inputs(Slot& slot, const Operand& operand, std::vector<Issue>& issues) {
    const std::vector<Operand>& parts = operand.operands;
    const TransformInfo& transformer = info(operand.transform);
    const auto list_only_at = [&](std::size_t at) { // the only part that may be a list
        for (std::size_t i = 0; i < parts.size(); ++i)
            if (i != at && parts[i].kind == Operand::Kind::list)
                return false;
        return true;
    };
    const std::size_t none = parts.size();
    bool good = false;
    std::size_t list = none; // index of the list
    switch (transformer.form) {
    case TransformForm::field:
    case TransformForm::one: good = parts.size() == 1 && list_only_at(none); break;
    case TransformForm::several: good = parts.size() >= 2 && list_only_at(none); break;
    case TransformForm::separator_and_list:
        list = 1;
        good = parts.size() == 2 && list_only_at(list);
        break;
    case TransformForm::list_and_options:
        list = 0;
        good = parts.size() == 2 && list_only_at(list);
        break;
    }
    if (!good) {
        issues.push_back({operand.span, "the operands of " + call_name(operand) + " do not fit",
                          "write " + std::string(transformer.synopsis)});
        return false;
    }
    for (std::size_t i = 0; i < parts.size(); ++i)
        if (i != list && !has_enough(issues) && !add_input(slot, parts[i], false, issues))
            good = false;
    if (list == none)
        return good;
    const Operand& whole = parts[list];
    if (whole.kind == Operand::Kind::literal) {
        issues.push_back({whole.span, "expected a list in parentheses, or a field that is a list",
                          "write " + std::string(transformer.synopsis)});
        return false;
    }
    if (whole.kind != Operand::Kind::list)
        return add_input(slot, whole, true, issues) && good;
    for (const Operand& element : whole.operands)
        if (!has_enough(issues) && !add_input(slot, element, false, issues))
            good = false;
    return good;
}

bool Resolver::add_input(Slot& slot, const Operand& operand, bool as_list,
                         std::vector<Issue>& issues) {
    Slot::Input& input = slot.inputs.emplace_back();
    if (operand.kind == Operand::Kind::literal) {
        input.literal = operand.name;
        return true;
    }
    const std::optional<SlotId> id = slot_of(operand, issues, as_list);
    if (!id)
        return false;
    input.slot = *id;
    const FieldUse& use = graph_.slots()[*id].use;
    const bool single = info(slot.transform).form != TransformForm::one && !as_list;
    std::string why;
    if (as_list && use.plurality != Plurality::list)
        why = "expected a list";
    else if (single && use.plurality == Plurality::list)
        why = "expected a single value, not a list";
    else if (!as_list && (info(slot.transform).takes & type_set(use)) == 0)
        why = std::string(transform_name(slot.transform)) + "() does not take " +
              type_description(use);
    if (why.empty())
        return true;
    issues.push_back({operand.span, why, "write " + std::string(info(slot.transform).synopsis)});
    return false;
}

// Sets the type of the transformer's result, from the types of its operands.
bool Resolver::set_type(Slot& slot, const Operand& operand, std::vector<Issue>& issues) const {
    if (operand.has_argument &&
        (slot.transform != Transform::getopt || operand.argument.size() != 1)) {
        issues.push_back({operand.span,
                          slot.transform == Transform::getopt
                              ? "getopt() takes one letter in brackets"
                              : call_name(operand) + " takes no argument in brackets",
                          {}});
        return false;
    }
    const SlotId first = slot.inputs.empty() ? kNoSlot : slot.inputs[0].slot;
    const FieldUse inner = first != kNoSlot ? graph_.slots()[first].use : FieldUse();
    switch (slot.transform) {
    case Transform::tolower:
    case Transform::toupper:
    case Transform::basename:
    case Transform::b64:
        slot.use.type = inner.type;
        slot.use.plurality = inner.plurality;
        break;
    case Transform::len:
        slot.of_list = inner.plurality == Plurality::list;
        slot.use.plurality = slot.of_list ? Plurality::single : inner.plurality;
        slot.use.type = ValueType::unsigned_number;
        break;
    case Transform::getopt:
        slot.use.plurality = slot.argument.empty() ? Plurality::list : Plurality::single;
        break;
    case Transform::join:
    case Transform::concat: // a single text
    case Transform::val:
    case Transform::none: break;
    }
    return true;
}

} // namespace tiercel::filter
