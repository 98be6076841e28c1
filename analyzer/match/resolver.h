// SPDX-License-Identifier: Apache-2.0
//
// Resolver: turns a condition's tree into a node of the Graph: looks up fields, puts lists and
// macros in, parses values by the type of what they are compared with. It goes on after a mistake,
// so that all of a condition's mistakes are found at once.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analyzer/language/ast.h"
#include "analyzer/match/graph.h"

namespace tiercel::filter {

struct Issue {
    Span span; // in the condition that is being resolved
    std::string message;
    std::string hint;
    bool unknown_name =
        false; // a field or event type that does not exist: what a rule may ask to forgive
};

// Where names come from.
class Scope {
  public:
    virtual ~Scope() = default;
    // The node of macro `name`. Nothing when there is none that may be used here: then `issue` says
    // so, or is left without a message where the mistake is complained about elsewhere.
    virtual std::optional<NodeId> macro(const std::string& name, Issue& issue) = 0;
    // The values of list `name`, nullptr: no list is called so.
    virtual const std::vector<std::string>* list(const std::string& name) = 0;
};

class Resolver {
  public:
    Resolver(Graph& graph, FieldCatalog& fields) : graph_(graph), fields_(fields) {}
    // Mistakes go to `issues`; where there are any, the node is of no use.
    NodeId resolve(const Node& node, Scope& scope, std::vector<Issue>& issues);

  private:
    NodeId resolve_check(const Node& node, Scope& scope, std::vector<Issue>& issues);
    NodeId resolve_macro(const Node& node, Scope& scope, std::vector<Issue>& issues);
    NodeId compare(const Node& node, SlotId slot, Scope& scope, std::vector<Issue>& issues);
    NodeId compare_fields(const Node& node, SlotId slot, std::vector<Issue>& issues);
    NodeId make_test(SlotId slot, Comparison comparison);
    bool check_event_types(const Check& check, const std::vector<std::string>& values,
                           const std::vector<Span>& spans, std::vector<Issue>& issues);
    std::optional<SlotId> slot_of(const Operand& operand, std::vector<Issue>& issues);
    std::optional<SlotId> transformed(const Operand& operand, std::vector<Issue>& issues);
    bool apply_type(Slot& slot, const Operand& operand, std::vector<Issue>& issues);

    Graph& graph_;
    FieldCatalog& fields_;
};

} // namespace tiercel::filter
