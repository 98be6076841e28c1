// SPDX-License-Identifier: Apache-2.0
//
// Implements the compiler of the kernel filter: what the rules and the tables need of each event,
// the rows of the filter's table, and the comparison of two filters.
#include "analyzer/prefilter/compiler.h"

#include <algorithm>
#include <cerrno>
#include <map>

#include "analyzer/prefilter/conditions.h"
#include "analyzer/prefilter/descriptors.h"
#include "analyzer/state/needs.h"

namespace tiercel::prefilter {

namespace {

constexpr std::size_t kMostRows = TIERCEL_FILTER_ROWS_OF_EVENT;

Box with_pending(Box box) {
    box.errors[EINPROGRESS / 64] |= 1ULL << (EINPROGRESS % 64);
    return box;
}

// The calls that the tables need.
Boxes boxes_of(const state::Need& need) {
    if (!need.succeeded)
        return {};
    Box box = need.failures == state::Failures::all       ? Box()
              : need.failures == state::Failures::pending ? with_pending(Box::of_success())
                                                          : Box::of_success();
    if (!need.values.empty()) {
        box.values = {need.argument, UINT32_MAX, 0};
        for (const std::uint8_t value : need.values)
            box.values.in_set |= 1ULL << value;
    }
    if (need.not_on_tcp)
        box.files = {0, TIERCEL_FILE_KINDS & ~TIERCEL_FILE_TCP};
    return {box};
}

tiercel_filter_row row_of(const Box& box) {
    tiercel_filter_row row{};
    row.flags = box.succeeded ? TIERCEL_ROW_SUCCEEDED : 0;
    row.errors[0] = box.errors[0];
    row.errors[1] = box.errors[1];
    row.value_arg = box.values.argument;
    row.mask = box.values.mask;
    row.values = box.values.in_set;
    row.file_arg = box.files.argument;
    row.files = box.files.kinds;
    row.text_arg = box.text.argument;
    row.needle_bytes = static_cast<__u8>(box.text.contains.size());
    std::ranges::copy(box.text.contains, row.needle);
    return row;
}

Box box_of(const tiercel_filter_row& row) {
    Box box;
    box.succeeded = (row.flags & TIERCEL_ROW_SUCCEEDED) != 0;
    box.errors = {row.errors[0], row.errors[1]};
    if (row.value_arg < Box::kNoArgument)
        box.values = {row.value_arg, row.mask, row.values};
    if (row.file_arg < Box::kNoArgument)
        box.files = {row.file_arg, row.files};
    if (row.text_arg < Box::kNoArgument && row.needle_bytes > 0)
        box.text = {row.text_arg, {row.needle, row.needle + row.needle_bytes}};
    return box;
}

bool shows_whether_connected(const rules::Rule& rule) {
    static constexpr std::string_view kField = "fd.connected";
    return rule.output.find(kField) != std::string::npos ||
           std::ranges::any_of(rule.extra_fields, [](const auto& field) {
               return field.second.find(kField) != std::string::npos;
           });
}

class Compiler {
  public:
    Compiler(const rules::RuleSet& rules, const filter::Fields& fields)
        : rules_(rules), fields_(fields), program_(*rules.program), conditions_(program_, fields) {
        connected_ = asks_whether_connected();
    }

    Compiled compile(bool state, const std::bitset<event::kCodeLimit>& always) {
        Compiled compiled;
        if (state) {
            Descriptors descriptors(rules_, conditions_, fields_);
            compiled.wishes = wishes_of(state, always, &descriptors);
            compiled.needs_all_files = descriptors.needs_all();
            if (compiled.needs_all_files.empty())
                for (std::uint16_t code = 0; code < event::kCodeLimit; ++code)
                    compiled.filter.told[code] = descriptors.told(code);
        }
        if (!state || !compiled.needs_all_files.empty())
            compiled.wishes = wishes_of(state, always, nullptr);
        if (conditions_.counts_events()) {
            compiled.off = "a rule asks for the number of events or the time between them";
            compiled.filter = {};
            return compiled;
        }
        // An event that is not asked for has rows that let nothing pass, so that covers() sees it.
        for (const Wish& wish : compiled.wishes)
            store(wish, compiled.filter);
        for (std::uint16_t code = 0; code < event::kCodeLimit; ++code)
            if (find_call(code) != nullptr && !always[code] && !is_asked(code, state))
                store({code, {}}, compiled.filter);
        return compiled;
    }

  private:
    bool is_asked(std::uint16_t code, bool state) const {
        return (state && state::lives_on(code)) || rules_.interest.codes[code];
    }

    // With `descriptors`, the tables follow sockets and directories only.
    std::vector<Wish> wishes_of(bool state, const std::bitset<event::kCodeLimit>& always,
                                Descriptors* descriptors) {
        std::vector<Wish> wishes;
        for (std::uint16_t code = 0; code < event::kCodeLimit; ++code) {
            const Call* call = find_call(code);
            if (call != nullptr && !always[code] && is_asked(code, state))
                wishes.push_back(wish_of(*call, state && state::lives_on(code), descriptors));
        }
        return wishes;
    }

    bool asks_whether_connected() {
        for (const rules::Rule& rule : rules_.rules)
            if (rule.enabled && shows_whether_connected(rule))
                return true;
        for (filter::EventKind kind = 0; kind < event::kCodeLimit; ++kind)
            for (const filter::RuleId rule : program_.rules_of_kind[kind])
                if (conditions_.asks_whether_connected(program_.conditions[rule],
                                                       filter::kind_name(kind)))
                    return true;
        return false;
    }

    Wish wish_of(const Call& call, bool lives, Descriptors* descriptors) {
        Boxes tables = lives ? boxes_of(state::need_of(call.code, connected_)) : Boxes();
        if (descriptors != nullptr)
            tables = Descriptors::needed(call, tables);
        std::vector<std::pair<filter::RuleId, Boxes>> asked;
        Boxes all = tables;
        for (const filter::RuleId rule : program_.rules_of_kind[call.code]) {
            Boxes boxes = conditions_.boxes_of(program_.conditions[rule], call);
            if (descriptors != nullptr)
                boxes = descriptors->restrict(rule, call, std::move(boxes));
            asked.emplace_back(rule, std::move(boxes));
            unite(all, asked.back().second);
        }
        widen(all, kMostRows);
        if (descriptors != nullptr)
            descriptors->finish(call, all);
        Wish wish{call.code, {}};
        const auto has_part_of = [](const Box& whole) {
            return [&whole](const Box& part) { return !intersection(whole, part).is_empty(); };
        };
        for (const Box& box : all) {
            Wish::Pass pass{box, std::ranges::any_of(tables, has_part_of(box)), {}};
            for (const auto& [rule, boxes] : asked)
                if (std::ranges::any_of(boxes, has_part_of(box)))
                    pass.rules.push_back(rule);
            wish.passes.push_back(std::move(pass));
        }
        return wish;
    }

    // Stores the rows of an event. Events with the same rows share them. If there is no room,
    // every event passes.
    void store(const Wish& wish, tiercel_filter& filter) {
        std::vector<Box> boxes;
        for (const Wish::Pass& pass : wish.passes)
            boxes.push_back(pass.calls);
        if (boxes.empty()) {
            Box nothing = Box::of_success();
            nothing.succeeded = false;
            boxes.push_back(nothing);
        }
        if (boxes.size() == 1 && boxes[0].is_everything())
            return;
        for (const auto& [first, stored] : stored_)
            if (stored == boxes) {
                filter.first[wish.code] = first;
                return;
            }
        if (used_ + boxes.size() > TIERCEL_FILTER_ROWS)
            return;
        filter.first[wish.code] = static_cast<__u8>(used_ + 1);
        stored_.emplace_back(filter.first[wish.code], boxes);
        for (std::size_t i = 0; i < boxes.size(); ++i) {
            filter.rows[used_] = row_of(boxes[i]);
            if (i + 1 < boxes.size())
                filter.rows[used_].flags |= TIERCEL_ROW_MORE;
            ++used_;
        }
    }

    const rules::RuleSet& rules_;
    const filter::Fields& fields_;
    const filter::Program& program_;
    Conditions conditions_;
    bool connected_ = false;
    std::size_t used_ = 0;
    std::vector<std::pair<__u8, std::vector<Box>>> stored_;
};

// The boxes of an event; everything if it has no row.
Boxes boxes_in(const tiercel_filter& filter, std::size_t code) {
    if (filter.first[code] == 0)
        return everything();
    Boxes boxes;
    for (std::size_t row = filter.first[code] - 1U; row < TIERCEL_FILTER_ROWS; ++row) {
        boxes.push_back(box_of(filter.rows[row]));
        if ((filter.rows[row].flags & TIERCEL_ROW_MORE) == 0)
            break;
    }
    return boxes;
}

} // namespace

Compiled compile(const rules::RuleSet& rules, const filter::Fields& fields, bool state,
                 const std::bitset<event::kCodeLimit>& always) {
    return Compiler(rules, fields).compile(state, always);
}

bool covers(const tiercel_filter& loaded, const tiercel_filter& wanted) {
    for (std::size_t code = 0; code < TIERCEL_FILTER_CODES; ++code) {
        if ((wanted.told[code] & ~loaded.told[code]) != 0)
            return false;
        const Boxes has = boxes_in(loaded, code);
        for (const Box& box : boxes_in(wanted, code))
            if (!box.is_empty() &&
                std::ranges::none_of(has, [&](const Box& one) { return one.contains(box); }))
                return false;
    }
    return true;
}

} // namespace tiercel::prefilter
