// SPDX-License-Identifier: Apache-2.0
//
// Resolver: turns a condition's tree into a node of the Graph
//
// It looks up fields, inserts lists and macros, and parses values by the type of the field that
// they are compared with. It continues after a mistake, so that all mistakes of a condition are
// found at once.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "analyzer/language/ast.h"
#include "analyzer/match/graph.h"

namespace tiercel::filter {

struct Issue {
    Span span; // in the condition that is being resolved
    std::string message;
    std::string hint;
    bool unknown_name = false; // there is no such field or event type; a rule may be skipped then
    // A warning: the condition is valid, but probably not as intended. A remark only explains why a
    // condition never holds, because empty lists are common in rule files.
    enum class Weight : std::uint8_t { error, warning, remark } weight = Weight::error;
};

// The macros and lists that a condition may use.
class Scope {
  public:
    virtual ~Scope() = default;
    // Returns the node of macro `name`. Returns nothing if there is none that may be used here:
    // then `issue` says why, or has no message if the mistake is reported elsewhere.
    virtual std::optional<NodeId> macro(const std::string& name, Issue& issue) = 0;
    // Returns the values of list `name`, or nullptr if there is no such list.
    virtual const std::vector<std::string>* list(const std::string& name) = 0;
};

class Resolver {
  public:
    Resolver(Graph& graph, FieldCatalog& fields) : graph_(graph), fields_(fields) {}
    // Adds mistakes to `issues`; with a mistake, the returned node has no meaning.
    NodeId resolve(const Node& node, Scope& scope, std::vector<Issue>& issues);

    // Returns true as long as few hints were given. After many mistakes the search for what was
    // meant would take most of the time.
    bool wants_hint() { return hints_left_ > 0 && hints_left_-- > 0; }

    // The slot of a field or transformer outside of comparisons, as in output templates.
    std::optional<SlotId> resolve(const Operand& operand, std::vector<Issue>& issues) {
        return slot_of(operand, issues);
    }

  private:
    // The right side of a comparison with constants, with its lists resolved.
    struct Constants {
        std::vector<std::string> values;
        std::vector<Span> spans; // of each value; values of a list share the place of its name
        Span whole;              // of the comparison
    };

    bool has_enough(const std::vector<Issue>& issues) const;
    NodeId resolve_check(const Node& node, Scope& scope, std::vector<Issue>& issues);
    NodeId resolve_macro(const Node& node, Scope& scope, std::vector<Issue>& issues);
    NodeId compare_constants(const Node& node, SlotId slot, Scope& scope,
                             std::vector<Issue>& issues);
    bool never_holds(const Check& check, SlotId slot, const Constants& constants,
                     std::vector<Issue>& issues) const;
    NodeId compare_quantified(const Check& check, SlotId slot, const Constants& constants,
                              std::vector<Issue>& issues);
    NodeId compare(SlotId slot, Op op, const Constants& constants, std::vector<Issue>& issues);
    NodeId compare_fields(const Node& node, SlotId slot, std::vector<Issue>& issues);
    NodeId exactly_one(std::span<const NodeId> nodes);
    NodeId make_test(SlotId slot, Comparison comparison);
    bool check_event_types(const Check& check, const Constants& constants,
                           std::vector<Issue>& issues);
    std::optional<SlotId> slot_of(const Operand& operand, std::vector<Issue>& issues,
                                  bool as_list = false);
    std::optional<SlotId> transformed(const Operand& operand, std::vector<Issue>& issues);
    bool add_inputs(Slot& slot, const Operand& operand, std::vector<Issue>& issues);
    bool add_input(Slot& slot, const Operand& operand, bool as_list, std::vector<Issue>& issues);
    bool set_type(Slot& slot, const Operand& operand, std::vector<Issue>& issues) const;

    Graph& graph_;
    FieldCatalog& fields_;
    std::size_t values_ = 0; // of all conditions, with lists expanded
    unsigned hints_left_ = 200;
};

} // namespace tiercel::filter
