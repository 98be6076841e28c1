// SPDX-License-Identifier: Apache-2.0
//
// Matcher: runs a Program on one event after another. It remembers, for the length of one event,
// each field that was fetched and each answer that may be asked for again. One Matcher serves one
// thread; it allocates when it is made, and then only when a transformer meets a longer value than
// any before.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "analyzer/match/program.h"
#include "analyzer/match/transforms.h"

namespace tiercel::filter {

class Matcher {
  public:
    explicit Matcher(std::shared_ptr<const Program> program);

    // The rules that match, in their order; the first only unless `all`. Good until the next call.
    std::span<const RuleId> match(EventKind kind, FieldSource& event, bool all);

    // How many values were fetched for the last event: what field caching is judged by.
    std::uint32_t fetched() const { return fetched_; }

  private:
    struct FetchedSlot {
        std::uint64_t epoch = 0;
        Values values;
        Value single;
    };
    struct Row {
        std::uint64_t epoch = 0;
        const Word* bits = nullptr;
        std::vector<Word> own; // where the bits are when no table has them ready
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
    const Values& fetch(SlotId slot);
    Values fetch_transformed(const Slot& slot, SlotId id);
    const Word* row(std::uint32_t group);
    const Word* fill_row(const Group& group, Row& row, const Values& values);
    const Word* literal_row(const Group& group, const Value& value) const;

    std::shared_ptr<const Program> program_;
    FieldSource* event_ = nullptr;
    std::uint64_t epoch_ = 0;
    std::uint32_t fetched_ = 0;
    std::vector<FetchedSlot> slots_;
    std::vector<Scratch> scratch_; // of each slot; used by transformers
    std::vector<Row> rows_;
    std::vector<Answer> answers_;
    std::vector<std::uint64_t> visited_; // gates, by epoch
    std::vector<RuleId> matched_;
};

} // namespace tiercel::filter
