// SPDX-License-Identifier: Apache-2.0
//
// Program: specializes the conditions for each kind of event, and builds blocks, gates and steps.
#include "analyzer/match/program.h"

#include <algorithm>
#include <map>
#include <optional>

#include "analyzer/match/program_groups.h"

namespace tiercel::filter {

namespace {

// A step can hold only if one of these bits of groups is set.
using Needs = std::vector<GroupBuilder::Place>;
constexpr std::size_t kMaxNeeds = 64;

class Builder {
  public:
    Builder(Program& program, const std::vector<NodeId>& roots)
        : program_(program), graph_(program.graph), roots_(roots), groups_(program.graph) {}

    void build() {
        specialize();
        count_uses();
        program_.groups = groups_.build();
        for (EventKind kind = 0; kind < kind_count(); ++kind)
            program_.block_of_kind.push_back(block_for(conditions_[kind]));
        assign_memos();
    }

  private:
    // The conditions of a rule that remain once the kind of event is known; all must hold.
    struct Remaining {
        RuleId rule;
        std::vector<NodeId> conjuncts;
    };
    using Conditions = std::vector<std::pair<RuleId, NodeId>>;

    void specialize() {
        std::map<std::string, Conditions, std::less<>> by_name; // kinds of one name are alike
        for (EventKind kind = 0; kind < kind_count(); ++kind) {
            const std::string name(kind_name(kind));
            if (name.empty() && kind != kUnknownKind) {
                conditions_.emplace_back();
            } else {
                const auto [entry, fresh] = by_name.try_emplace(name);
                if (fresh)
                    entry->second = specialize_for(name, kind == kUnknownKind);
                conditions_.push_back(entry->second);
            }
            std::vector<RuleId>& rules = program_.rules_of_kind.emplace_back();
            for (const auto& [rule, node] : conditions_.back())
                rules.push_back(rule);
        }
    }

    Conditions specialize_for(const std::string& name, bool unknown) {
        Conditions conditions;
        Graph::Known known;
        for (RuleId rule = 0; rule < roots_.size(); ++rule) {
            const NodeId node =
                unknown ? roots_[rule] : graph_.specialize(roots_[rule], name, known);
            if (node != kFalse)
                conditions.emplace_back(rule, node);
        }
        return conditions;
    }

    // Counts the uses of each node: answers of nodes with several uses are stored.
    void count_uses() {
        std::map<Conditions, bool> seen;
        for (const Conditions& conditions : conditions_) {
            if (!seen.emplace(conditions, true).second)
                continue;
            for (const auto& [rule, node] : conditions)
                count_use(node);
        }
    }

    void count_use(NodeId id) {
        if (++uses_[id] > 1)
            return;
        if (graph_.node(id).kind == GraphNode::Kind::test)
            groups_.add(id);
        for (const NodeId child : graph_.node(id).children)
            count_use(child);
    }

    std::uint32_t block_for(const Conditions& conditions) {
        if (conditions.empty())
            return kNothing;
        const auto [entry, fresh] = blocks_.try_emplace(conditions, 0);
        if (!fresh)
            return entry->second;
        std::vector<Remaining> rules;
        std::map<NodeId, unsigned> shared; // conjunct → how many of these rules have it
        for (const auto& [rule, node] : conditions) {
            Remaining remaining{rule, {}};
            if (graph_.node(node).kind == GraphNode::Kind::all)
                remaining.conjuncts = graph_.node(node).children;
            else if (node != kTrue)
                remaining.conjuncts = {node};
            for (const NodeId conjunct : remaining.conjuncts)
                ++shared[conjunct];
            rules.push_back(std::move(remaining));
        }
        // All rules have one order, so that rules with common conjuncts share gates: the cost of a
        // decision, divided by the number of rules that share it.
        const auto rank = [&](NodeId id) {
            const GraphNode& node = graph_.node(id);
            const auto sharers = static_cast<float>(shared[id]);
            return node.cost / std::max(1 - node.chance, 0.01F) / sharers;
        };
        for (Remaining& remaining : rules) {
            std::sort(remaining.conjuncts.begin(), remaining.conjuncts.end(),
                      [&](NodeId a, NodeId b) {
                          const float x = rank(a), y = rank(b);
                          return x != y ? x < y : a < b;
                      });
        }
        entry->second = build_block(std::move(rules));
        return entry->second;
    }

    std::uint32_t build_block(std::vector<Remaining> rules) {
        const auto index = static_cast<std::uint32_t>(program_.blocks.size());
        program_.blocks.emplace_back();
        std::vector<std::vector<Remaining>> families; // rules that begin with the same conjunct
        std::map<NodeId, std::size_t> family_of;
        std::vector<RuleId> here;
        for (Remaining& rule : rules) {
            if (rule.conjuncts.empty()) {
                here.push_back(rule.rule);
                continue;
            }
            const auto [entry, fresh] = family_of.try_emplace(rule.conjuncts[0], families.size());
            if (fresh)
                families.emplace_back();
            families[entry->second].push_back(std::move(rule));
        }
        std::vector<std::uint32_t> gates;
        std::vector<std::optional<Needs>> needs;
        for (std::vector<Remaining>& family : families) {
            const NodeId condition = take_common(family);
            needs.push_back(needs_of(condition));
            const std::uint32_t step = step_for(condition);
            const std::uint32_t block = build_block(std::move(family));
            gates.push_back(static_cast<std::uint32_t>(program_.gates.size()));
            program_.gates.push_back({step, block});
        }
        Block& block = program_.blocks[index];
        block.rules = std::move(here);
        place_gates(block, gates, needs);
        return index;
    }

    // Takes the conjuncts that all of the family begin with off them, and joins these into one
    // condition.
    NodeId take_common(std::vector<Remaining>& family) {
        std::size_t common = family[0].conjuncts.size();
        for (const Remaining& rule : family) {
            const auto [a, b] =
                std::mismatch(family[0].conjuncts.begin(), family[0].conjuncts.end(),
                              rule.conjuncts.begin(), rule.conjuncts.end());
            common = std::min(common, static_cast<std::size_t>(a - family[0].conjuncts.begin()));
        }
        const auto cut = static_cast<std::ptrdiff_t>(common);
        const std::vector<NodeId> taken(family[0].conjuncts.begin(),
                                        family[0].conjuncts.begin() + cut);
        for (Remaining& rule : family)
            rule.conjuncts.erase(rule.conjuncts.begin(), rule.conjuncts.begin() + cut);
        return graph_.all(taken);
    }

    // Hangs gates that need a bit on switches, when there are enough of them for one look-up to
    // pay.
    void place_gates(Block& block, const std::vector<std::uint32_t>& gates,
                     const std::vector<std::optional<Needs>>& needs) {
        std::map<std::uint32_t, std::vector<std::pair<std::uint32_t, std::uint32_t>>> switched;
        std::size_t candidates = 0;
        for (std::size_t i = 0; i < gates.size(); ++i) {
            candidates += needs[i] ? 1 : 0;
            for (const GroupBuilder::Place& place : needs[i].value_or(Needs()))
                switched[place.group].emplace_back(place.bit, gates[i]);
        }
        const bool worth = candidates >= 2 * switched.size() + 3;
        for (std::size_t i = 0; i < gates.size(); ++i) {
            if (!worth || !needs[i])
                block.gates.push_back(gates[i]);
        }
        if (!worth)
            return;
        for (auto& [group, entries] : switched) {
            std::sort(entries.begin(), entries.end());
            entries.erase(std::unique(entries.begin(), entries.end()), entries.end());
            Block::Switch made;
            made.group = group;
            made.mask.assign(program_.groups[group].words, 0);
            for (const auto& [bit, gate] : entries)
                set_bit(made.mask.data(), bit);
            made.gates = std::move(entries);
            block.switches.push_back(std::move(made));
        }
    }

    std::optional<Needs> needs_of(NodeId id) const {
        const GraphNode& node = graph_.node(id);
        if (node.kind == GraphNode::Kind::test) {
            const GroupBuilder::Place place = groups_.place(id);
            return place.group == kNothing ? std::nullopt : std::optional<Needs>({place});
        }
        if (node.kind == GraphNode::Kind::any) {
            Needs all;
            for (const NodeId child : node.children) {
                const std::optional<Needs> needs = needs_of(child);
                if (!needs || all.size() + needs->size() > kMaxNeeds)
                    return std::nullopt;
                all.insert(all.end(), needs->begin(), needs->end());
            }
            return all;
        }
        if (node.kind != GraphNode::Kind::all)
            return std::nullopt;
        std::optional<Needs> best;
        for (const NodeId child : node.children) {
            std::optional<Needs> needs = needs_of(child);
            if (needs && (!best || price(*needs) < price(*best)))
                best = std::move(needs);
        }
        return best;
    }

    // The cost of the look-ups that decide whether one of the bits is set.
    float price(const Needs& needs) const {
        float sum = 0;
        for (const GroupBuilder::Place& place : needs) {
            const Group& group = program_.groups[place.group];
            const bool text =
                group.type == Group::Type::substring || group.type == Group::Type::folded;
            sum += graph_.slots()[group.slot].use.cost + (text ? 50.0F : 2.0F);
        }
        return sum;
    }

    std::uint32_t step_for(NodeId id) {
        const auto [entry, fresh] = steps_.try_emplace(id, 0);
        if (!fresh) {
            ++step_uses_[entry->second];
            return entry->second;
        }
        std::vector<std::uint32_t> children;
        for (const NodeId child : graph_.node(id).children)
            children.push_back(step_for(child));
        Step step;
        switch (graph_.node(id).kind) {
        case GraphNode::Kind::all: step.kind = Step::Kind::all; break;
        case GraphNode::Kind::any: step.kind = Step::Kind::any; break;
        case GraphNode::Kind::negation: step.kind = Step::Kind::negation; break;
        case GraphNode::Kind::test: step = test_step(id); break;
        case GraphNode::Kind::constant: break;
        }
        step.first = static_cast<std::uint32_t>(program_.children.size());
        step.count = static_cast<std::uint32_t>(children.size());
        program_.children.insert(program_.children.end(), children.begin(), children.end());
        const auto index = static_cast<std::uint32_t>(program_.steps.size());
        program_.steps.push_back(step);
        step_uses_.push_back(1);
        steps_[id] = index;
        return index;
    }

    Step test_step(NodeId id) const {
        const Test& test = graph_.test_of(id);
        const FieldUse& use = graph_.slots()[test.slot].use;
        Step step;
        step.slot = test.slot;
        step.right = test.right;
        step.op = test.comparison.op();
        step.comparison = &test.comparison;
        const GroupBuilder::Place place = groups_.place(id);
        const bool number = use.type == ValueType::signed_number ||
                            use.type == ValueType::unsigned_number ||
                            use.type == ValueType::boolean;
        const bool order = step.op >= Op::eq && step.op <= Op::ge;
        if (place.group != kNothing) {
            step.kind = Step::Kind::bit;
            step.group = place.group;
            step.bit = place.bit;
        } else if (step.op == Op::exists) {
            step.kind = Step::Kind::exists;
        } else if (number && order && test.right == kNoSlot && use.plurality == Plurality::single) {
            step.kind = Step::Kind::number;
            step.is_signed = use.type != ValueType::unsigned_number;
            step.number = test.comparison.number();
        } else {
            step.kind = Step::Kind::compare;
        }
        return step;
    }

    // Bits, numbers and presence are not stored, because computing them is as fast as a look-up.
    void assign_memos() {
        for (std::size_t i = 0; i < program_.steps.size(); ++i) {
            const Step::Kind kind = program_.steps[i].kind;
            const bool dear =
                kind == Step::Kind::all || kind == Step::Kind::any || kind == Step::Kind::compare;
            if (dear && step_uses_[i] > 1)
                program_.steps[i].memo = program_.memos++;
        }
    }

    Program& program_;
    Graph& graph_;
    const std::vector<NodeId>& roots_;
    GroupBuilder groups_;
    std::vector<Conditions> conditions_; // by kind
    std::map<NodeId, unsigned> uses_;
    std::map<Conditions, std::uint32_t> blocks_;
    std::map<NodeId, std::uint32_t> steps_;
    std::vector<unsigned> step_uses_;
};

} // namespace

std::unique_ptr<const Program> build_program(Graph graph, const std::vector<NodeId>& roots) {
    auto program = std::make_unique<Program>();
    program->graph = std::move(graph);
    program->conditions = roots;
    program->rules = static_cast<std::uint32_t>(roots.size());
    Builder(*program, roots).build();
    return program;
}

} // namespace tiercel::filter
