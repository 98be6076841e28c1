// SPDX-License-Identifier: Apache-2.0
//
// Implements sets of calls: intersections and unions of boxes, which may grow and never shrink.
#include "analyzer/prefilter/box.h"

#include <algorithm>

namespace tiercel::prefilter {

namespace {

// Conditions that combine more boxes than this are widened, so that they stay cheap to compile.
constexpr std::size_t kMostBoxes = 12;

bool covers(const Box::Values& a, const Box::Values& b) {
    if (a.argument == Box::kNoArgument)
        return true;
    return a.argument == b.argument && a.mask == b.mask && (b.in_set & ~a.in_set) == 0;
}

bool covers(const Box::Files& a, const Box::Files& b) {
    if (a.argument == Box::kNoArgument)
        return true;
    return a.argument == b.argument && (b.kinds & ~a.kinds) == 0;
}

// Every text that contains b's part contains a's, which is a part of it.
bool covers(const Box::Text& a, const Box::Text& b) {
    if (a.argument == Box::kNoArgument)
        return true;
    return a.argument == b.argument && b.contains.find(a.contains) != std::string::npos;
}

// Puts `from` into `into` if the two differ in the result only.
bool join(Box& into, const Box& from) {
    if (into.values != from.values || into.files != from.files || into.text != from.text)
        return false;
    into.succeeded = into.succeeded || from.succeeded;
    into.errors[0] |= from.errors[0];
    into.errors[1] |= from.errors[1];
    return true;
}

// Returns a set that has all calls of both: with the results of both, and the tests that are equal.
Box hull(const Box& a, const Box& b) {
    Box both;
    both.succeeded = a.succeeded || b.succeeded;
    for (std::size_t i = 0; i < both.errors.size(); ++i)
        both.errors[i] = a.errors[i] | b.errors[i];
    if (a.values.argument == b.values.argument && a.values.mask == b.values.mask)
        both.values = {a.values.argument, a.values.mask, a.values.in_set | b.values.in_set};
    if (a.files.argument == b.files.argument)
        both.files = {a.files.argument, static_cast<std::uint8_t>(a.files.kinds | b.files.kinds)};
    if (a.text == b.text)
        both.text = a.text;
    return both;
}

void add(Boxes& boxes, const Box& box) {
    const auto has = [&box](const Box& known) { return known.contains(box); };
    if (box.is_empty() || std::ranges::any_of(boxes, has))
        return;
    std::erase_if(boxes, [&box](const Box& known) { return box.contains(known); });
    for (Box& known : boxes) {
        if (join(known, box)) {
            const Box grown = known; // which may now contain others
            std::erase_if(boxes, [&grown](const Box& other) { return grown.contains(other); });
            boxes.push_back(grown);
            return;
        }
    }
    boxes.push_back(box);
}

} // namespace

Box Box::of_success() {
    Box box;
    box.errors = {0, 0};
    return box;
}

Box Box::of_failure() {
    Box box;
    box.succeeded = false;
    return box;
}

bool Box::is_empty() const {
    return (!succeeded && !has_errors()) || values.in_set == 0 || files.kinds == 0;
}

bool Box::contains(const Box& other) const {
    return (succeeded || !other.succeeded) && (other.errors[0] & ~errors[0]) == 0 &&
           (other.errors[1] & ~errors[1]) == 0 && covers(values, other.values) &&
           covers(files, other.files) && covers(text, other.text);
}

// Of two tests that one row cannot make together, the first one stays, which keeps more calls.
Box intersection(const Box& a, const Box& b) {
    Box both = a;
    both.succeeded = a.succeeded && b.succeeded;
    for (std::size_t i = 0; i < both.errors.size(); ++i)
        both.errors[i] &= b.errors[i];
    if (a.values.argument == Box::kNoArgument)
        both.values = b.values;
    else if (a.values.argument == b.values.argument && a.values.mask == b.values.mask)
        both.values.in_set &= b.values.in_set;
    if (a.files.argument == Box::kNoArgument)
        both.files = b.files;
    else if (a.files.argument == b.files.argument)
        both.files.kinds &= b.files.kinds;
    if (covers(a.text, b.text))
        both.text = b.text;
    return both;
}

Boxes intersection(const Boxes& a, const Boxes& b) {
    Boxes both;
    for (const Box& one : a)
        for (const Box& other : b)
            add(both, intersection(one, other));
    widen(both, kMostBoxes);
    return both;
}

void unite(Boxes& boxes, const Boxes& more) {
    for (const Box& box : more)
        add(boxes, box);
    widen(boxes, kMostBoxes);
}

void widen(Boxes& boxes, std::size_t most) {
    while (boxes.size() > most) {
        const Box last = hull(boxes[boxes.size() - 1], boxes[boxes.size() - 2]);
        boxes.resize(boxes.size() - 2);
        add(boxes, last);
    }
}

} // namespace tiercel::prefilter
