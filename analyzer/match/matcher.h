// SPDX-License-Identifier: Apache-2.0
//
// Matcher: runs a Program on one event after another
//
// It remembers, for one event, each field that was fetched and each answer that may be needed
// again. One Matcher serves one thread. It allocates when it is made, and later only if a
// transformer gives a longer value than before.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "analyzer/match/program.h"
#include "analyzer/match/slot_reader.h"

namespace tiercel::filter {

class Matcher {
  public:
    explicit Matcher(std::shared_ptr<const Program> program);

    // Returns the rules that match in one of the event's readings, in their order; without `all`,
    // the first of them. The result is valid until the next call.
    std::span<const RuleId> match(EventKind kind, FieldSource& event, bool all);

    // The number of values fetched for the last event. Tests of caching use it.
    std::uint32_t fetched() const { return reader_.fetched(); }

  private:
    struct Row {
        std::uint64_t epoch = 0;
        const Word* bits = nullptr;
        std::vector<Word> own; // holds the bits if no table has them
    };
    struct Answer {
        std::uint64_t epoch = 0;
        bool holds = false;
    };

    void run(std::uint32_t block);
    void run_switches(const Block& block);
    void try_gate(std::uint32_t gate);
    bool holds(std::uint32_t step);
    bool decide(const Step& step);
    bool compare_number(const Step& step);
    const Values& fetch(SlotId slot) { return reader_.fetch(slot); }
    const Word* row(std::uint32_t group);
    const Word* fill_row(const Group& group, Row& row, const Values& values);
    const Word* literal_row(const Group& group, const Value& value) const;

    std::shared_ptr<const Program> program_;
    SlotReader reader_;
    std::uint64_t epoch_ = 0;
    std::vector<Row> rows_;
    std::vector<Answer> answers_;
    std::vector<std::uint64_t> visited_; // gates, by epoch
    std::vector<RuleId> matched_;
};

} // namespace tiercel::filter
