// SPDX-License-Identifier: Apache-2.0
//
// Matcher: evaluates the gates and steps of a Program.
#include "analyzer/match/matcher.h"

#include <algorithm>
#include <bit>

#include "analyzer/match/ordered.h"

namespace tiercel::filter {

Matcher::Matcher(std::shared_ptr<const Program> program)
    : program_(std::move(program)), reader_(program_->graph.slots()),
      rows_(program_->groups.size()), answers_(program_->memos), visited_(program_->gates.size()) {
    matched_.reserve(program_->rules);
    for (std::size_t i = 0; i < rows_.size(); ++i)
        rows_[i].own.resize(program_->groups[i].words);
}

std::span<const RuleId> Matcher::match(EventKind kind, FieldSource& event, bool all) {
    matched_.clear();
    reader_.start(event);
    if (kind >= program_->block_of_kind.size() || program_->block_of_kind[kind] == kNothing)
        return {};
    ++epoch_;
    run(program_->block_of_kind[kind]);
    while (event.next_reading()) {
        reader_.start(event);
        ++epoch_;
        run(program_->block_of_kind[kind]);
    }
    if (matched_.size() > 1) {
        std::sort(matched_.begin(), matched_.end());
        matched_.erase(std::unique(matched_.begin(), matched_.end()), matched_.end());
        if (!all)
            matched_.resize(1);
    }
    return matched_;
}

void Matcher::run(std::uint32_t index) {
    const Block& block = program_->blocks[index];
    matched_.insert(matched_.end(), block.rules.begin(), block.rules.end());
    for (const std::uint32_t gate : block.gates)
        try_gate(gate);
    if (!block.switches.empty())
        run_switches(block);
}

void Matcher::try_gate(std::uint32_t index) {
    const Gate& gate = program_->gates[index];
    if (holds(gate.step))
        run(gate.block);
}

void Matcher::run_switches(const Block& block) {
    for (const Block::Switch& choice : block.switches) {
        const Word* bits = row(choice.group);
        if (bits == nullptr)
            continue;
        auto entry = choice.gates.begin();
        for (std::uint32_t word = 0; word < choice.mask.size(); ++word) {
            for (Word hits = bits[word] & choice.mask[word]; hits != 0; hits &= hits - 1) {
                const auto bit =
                    word * kWordBits + static_cast<std::uint32_t>(std::countr_zero(hits));
                entry = std::lower_bound(entry, choice.gates.end(), std::pair(bit, 0U));
                for (; entry != choice.gates.end() && entry->first == bit; ++entry) {
                    std::uint64_t& visited = visited_[entry->second];
                    if (visited != epoch_) { // several bits may lead to one gate
                        visited = epoch_;
                        try_gate(entry->second);
                    }
                }
            }
        }
    }
}

bool Matcher::holds(std::uint32_t index) {
    const Step& step = program_->steps[index];
    if (step.memo == kNothing)
        return decide(step);
    Answer& answer = answers_[step.memo];
    if (answer.epoch != epoch_) {
        const bool result = decide(step);
        answer = {epoch_, result};
    }
    return answer.holds;
}

bool Matcher::decide(const Step& step) {
    const std::uint32_t* children = program_->children.data() + step.first;
    switch (step.kind) {
    case Step::Kind::always: return true;
    case Step::Kind::all:
        return std::all_of(children, children + step.count,
                           [this](std::uint32_t child) { return holds(child); });
    case Step::Kind::any:
        return std::any_of(children, children + step.count,
                           [this](std::uint32_t child) { return holds(child); });
    case Step::Kind::negation: return !holds(children[0]);
    case Step::Kind::bit: {
        const Word* bits = row(step.group);
        return bits != nullptr && test_bit(bits, step.bit);
    }
    case Step::Kind::number: return compare_number(step);
    case Step::Kind::exists: return fetch(step.slot).present;
    case Step::Kind::compare:
        if (step.right == kNoSlot)
            return step.comparison->holds(fetch(step.slot));
        return fetch(step.slot).present &&
               step.comparison->holds(fetch(step.slot), fetch(step.right));
    }
    return false;
}

bool Matcher::compare_number(const Step& step) {
    const Values& values = fetch(step.slot);
    if (!values.present || values.count == 0)
        return false;
    const std::int64_t number = values.first->number;
    if (step.is_signed)
        return ordered(step.op, number, step.number);
    return ordered(step.op, static_cast<std::uint64_t>(number),
                   static_cast<std::uint64_t>(step.number));
}

// Returns nullptr if the field has no value: then no comparison of the group holds.
const Word* Matcher::row(std::uint32_t index) {
    Row& row = rows_[index];
    if (row.epoch != epoch_) {
        const Group& group = program_->groups[index];
        const Values& values = fetch(group.slot);
        row.bits = values.present ? fill_row(group, row, values) : nullptr;
        row.epoch = epoch_;
    }
    return row.bits;
}

const Word* Matcher::literal_row(const Group& group, const Value& value) const {
    const std::string_view key =
        group.numbers
            ? std::string_view(reinterpret_cast<const char*>(&value.number), sizeof value.number)
            : value.text;
    const std::uint32_t literal = group.table.find(key);
    const std::uint32_t index = literal == LiteralTable::kNone ? group.table.size() : literal;
    return group.rows.data() + index * std::size_t{group.words};
}

const Word* Matcher::fill_row(const Group& group, Row& row, const Values& values) {
    if (group.type == Group::Type::equal && values.count == 1)
        return literal_row(group, values.first[0]);
    std::fill(row.own.begin(), row.own.end(), group.every ? ~Word{0} : Word{0});
    for (const Value& value : values.all()) {
        if (group.prefixes) {
            group.prefixes->match(value.text, row.own.data());
        } else if (group.substrings) {
            group.substrings->match(value.text, row.own.data());
        } else {
            const Word* bits = literal_row(group, value);
            for (std::uint32_t i = 0; i < group.words; ++i)
                row.own[i] = group.every ? row.own[i] & bits[i] : row.own[i] | bits[i];
        }
    }
    return row.own.data();
}

} // namespace tiercel::filter
