// SPDX-License-Identifier: Apache-2.0
//
// Box: a set of calls of one system call, described by what the kernel filter can test. A row of
// the filter (shared/event/filter.h) is a box. A union of boxes describes the calls for which a
// condition may hold.
//
// Every operation may give a larger set than the exact one, and never a smaller one. So a call
// outside the result is certainly outside the exact set.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "shared/event/filter.h"

namespace tiercel::prefilter {

struct Box {
    static constexpr std::uint8_t kNoArgument = TIERCEL_NO_ARGUMENT;
    static constexpr unsigned kErrors = 128; // the last stands for itself and all larger ones
    static constexpr unsigned kValues = 64;  // the same

    bool succeeded = true;
    std::array<std::uint64_t, 2> errors{~1ULL, UINT64_MAX}; // no call fails with error 0

    struct Values {
        std::uint8_t argument = kNoArgument; // without one, all values are in the set
        std::uint32_t mask = UINT32_MAX;
        std::uint64_t in_set = UINT64_MAX;
        bool operator==(const Values&) const = default;
    } values;

    struct Files {
        std::uint8_t argument = kNoArgument;
        std::uint8_t kinds = TIERCEL_FILE_KINDS;
        bool operator==(const Files&) const = default;
    } files;

    struct Text {
        std::uint8_t argument = kNoArgument;
        std::string contains; // at most TIERCEL_FILTER_NEEDLE bytes
        bool operator==(const Text&) const = default;
    } text;

    bool operator==(const Box&) const = default;

    // Returns the calls that succeeded, or those that failed.
    static Box of_success();
    static Box of_failure();
    bool has_errors() const { return errors[0] != 0 || errors[1] != 0; }
    bool is_empty() const;
    bool is_everything() const { return *this == Box(); }
    // Returns true if every call of `other` is in this set.
    bool contains(const Box& other) const;
};

Box intersection(const Box& a, const Box& b);

// A union. Empty: no call.
using Boxes = std::vector<Box>;
inline Boxes everything() {
    return {Box()};
}
Boxes intersection(const Boxes& a, const Boxes& b);
// Adds `more` and simplifies the union.
void unite(Boxes& boxes, const Boxes& more);
// Replaces boxes by larger ones until there are at most `most`.
void widen(Boxes& boxes, std::size_t most);

} // namespace tiercel::prefilter
