// SPDX-License-Identifier: Apache-2.0
//
// Implements the judgement of single comparisons: which fields depend on the call's result, on the
// access mode of an open or on the given path alone, and for which of these a comparison holds.
#include "analyzer/prefilter/comparisons.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

#include "shared/event/params.h"

namespace tiercel::prefilter {

namespace {

using filter::Op;
using filter::Test;
using filter::ValueType;

// Fields that the result alone decides.
constexpr std::string_view kOfResult[] = {"evt.failed", "evt.res", "evt.rawres", "evt.count.error"};

// Fields that the result alone decides if the call makes an fd and has failed. Without an fd they
// have no value, or one that depends on the call alone.
constexpr std::string_view kOfFailure[] = {
    "fd.type",      "fd.typechar",  "fd.filename",     "fd.realpath",       "fd.path_differs",
    "fd.l4proto",   "fd.connected", "fd.name_changed", "fd.sockfamily",     "fd.dev",
    "fd.dev.major", "fd.dev.minor", "fd.ino",          "fd.is_upper_layer", "fd.is_lower_layer"};

// Fields that the access mode of an open alone decides.
constexpr std::string_view kOfOpenMode[] = {"evt.is_open_read", "evt.is_open_write"};

// Fields whose value depends on which other events there are.
constexpr std::string_view kOfOthers[] = {"evt.num",         "evt.reltime",   "evt.reltime.s",
                                          "evt.reltime.ns",  "evt.deltatime", "evt.deltatime.s",
                                          "evt.deltatime.ns"};

template <std::size_t N>
bool is_one_of(std::string_view name, const std::string_view (&names)[N]) {
    return std::ranges::find(names, name) != std::end(names);
}

// Collects whether a comparison holds for some values of a class, and whether it fails for some.
struct Seen {
    bool holds = false, fails = false;
    void add(bool held) { (held ? holds : fails) = true; }
    // Whether some value of the class may satisfy the comparison, or its negation.
    bool may_hold(bool negated) const { return negated ? fails : holds; }
};

// The numbers around which the comparison may change its mind. Between two of them it has one
// answer, because every operator of numbers compares with the literals only.
std::vector<std::int64_t> turning_points(const filter::Comparison& comparison) {
    std::vector<std::int64_t> points = {INT64_MIN, 0, 1, INT64_MAX};
    for (const std::string& literal : comparison.literals()) {
        std::int64_t number = 0;
        if (literal.size() != sizeof number)
            continue;
        std::memcpy(&number, literal.data(), sizeof number);
        for (const std::int64_t near : {-1, 0, 1})
            if ((near >= 0 || number != INT64_MIN) && (near <= 0 || number != INT64_MAX))
                points.push_back(number + near);
    }
    return points;
}

bool is_of_numbers(const filter::Comparison& comparison) {
    return comparison.type() == ValueType::signed_number ||
           comparison.type() == ValueType::unsigned_number ||
           comparison.type() == ValueType::boolean;
}

constexpr std::int64_t kLastError = Box::kErrors - 1; // the class of this and larger errors

} // namespace

std::string_view Comparisons::plain_field(filter::SlotId id) const {
    if (id == filter::kNoSlot)
        return {};
    const filter::Slot& slot = graph_.slots()[id];
    const bool plain = slot.transform == filter::Transform::none &&
                       slot.use.plurality == filter::Plurality::single &&
                       fields_[slot.use.id].argument.key.empty();
    return plain ? fields_[slot.use.id].info->name : std::string_view();
}

bool Comparisons::reads(filter::SlotId id, std::string_view field) const {
    if (id == filter::kNoSlot)
        return false;
    const filter::Slot& slot = graph_.slots()[id];
    if (slot.transform == filter::Transform::none)
        return fields_[slot.use.id].info->name == field;
    return std::ranges::any_of(slot.inputs,
                               [&](const auto& input) { return reads(input.slot, field); });
}

// A comparison of evt.num that holds for no number from 1 on, or for all.
bool Comparisons::always(const Test& test, bool negated) const {
    if (test.right != filter::kNoSlot || plain_field(test.slot) != "evt.num")
        return false;
    for (const std::int64_t point : turning_points(test.comparison)) {
        filter::Value value;
        value.number = std::max<std::int64_t>(point, 1);
        if (test.comparison.holds(filter::Values{true, &value, 1}) == negated)
            return false;
    }
    return true;
}

Boxes Comparisons::boxes_of(filter::NodeId node, bool negated, const Call& call) {
    const auto [entry, fresh] = known_.try_emplace({node, negated, call.code});
    if (!fresh)
        return entry->second;
    Boxes& boxes = entry->second;
    boxes = everything();
    const Test& test = graph_.test_of(node);
    const auto reads_others = [&](std::string_view field) {
        return reads(test.slot, field) || reads(test.right, field);
    };
    if (std::ranges::any_of(kOfOthers, reads_others)) {
        if (always(test, !negated))
            boxes.clear();
        else
            counts_events_ = counts_events_ || !always(test, negated);
        return boxes;
    }
    const std::string_view field = plain_field(test.slot);
    if (field.empty() || test.right != filter::kNoSlot)
        return boxes;
    if (call.result_is_first && is_one_of(field, kOfResult))
        boxes = by_result(test, negated, call, false);
    else if (call.makes_fd && field == "fd.num")
        boxes = by_result(test, negated, call, false);
    else if (call.makes_fd && is_one_of(field, kOfFailure))
        boxes = by_result(test, negated, call, true);
    else if (call.flags_argument != Box::kNoArgument && is_one_of(field, kOfOpenMode))
        boxes = by_open_mode(test, negated, call);
    else if (call.path_argument != Box::kNoArgument && field == "fd.nameraw")
        boxes = by_text(test, negated, call);
    return boxes;
}

// With `if_failed`, the result decides failed calls only, and calls that succeeded may do both.
Boxes Comparisons::by_result(const Test& test, bool negated, const Call& call, bool if_failed) {
    const filter::Comparison& comparison = test.comparison;
    const std::uint32_t field = graph_.slots()[test.slot].use.id;
    const auto holds = [&](std::int64_t result) {
        return synthetic_.holds(comparison, field, call, result);
    };
    const bool numbers = is_of_numbers(comparison);
    Seen success, larger;
    for (const std::int64_t point : turning_points(comparison)) {
        if (point >= 0)
            success.add(holds(point));
        else if (point <= -kLastError)
            larger.add(holds(point));
    }
    larger.add(holds(-kLastError));
    if (!numbers && !if_failed) // the text of a large error is its number
        larger = {true, true};
    if (if_failed)
        success = {true, true};
    Box box;
    box.succeeded = success.may_hold(negated);
    box.errors = {0, 0};
    for (std::int64_t error = 1; error < kLastError; ++error)
        if (holds(-error) != negated)
            box.errors[static_cast<std::size_t>(error / 64)] |= 1ULL << (error % 64);
    if (larger.may_hold(negated))
        box.errors[1] |= 1ULL << 63;
    return box.is_empty() ? Boxes() : Boxes{box};
}

Boxes Comparisons::by_open_mode(const Test& test, bool negated, const Call& call) {
    namespace flags = event::flags::file_flags;
    // The schema's flags of each access mode: kernel/common/convert.h, convert_open_flags().
    constexpr std::array<std::uint32_t, 4> kModes = {flags::kO_RDONLY, flags::kO_WRONLY,
                                                     flags::kO_RDONLY | flags::kO_WRONLY, 0};
    const std::uint32_t field = graph_.slots()[test.slot].use.id;
    Box box;
    box.values = {call.flags_argument, kModes.size() - 1, 0};
    for (std::size_t mode = 0; mode < kModes.size(); ++mode)
        if (synthetic_.holds(test.comparison, field, call, 0, kModes[mode]) != negated)
            box.values.in_set |= 1ULL << mode;
    if (box.values.in_set == (1ULL << kModes.size()) - 1)
        return everything();
    return box.is_empty() ? Boxes() : Boxes{box};
}

Boxes Comparisons::by_text(const Test& test, bool negated, const Call& call) {
    const auto& literals = test.comparison.literals();
    if (negated || test.comparison.op() != Op::contains || literals.size() != 1 ||
        literals[0].empty())
        return everything();
    Box box;
    box.text = {call.path_argument, literals[0].substr(0, TIERCEL_FILTER_NEEDLE)};
    return {box};
}

} // namespace tiercel::prefilter
