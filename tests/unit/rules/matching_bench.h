// SPDX-License-Identifier: Apache-2.0
//
// Matching benchmark: what matching alone costs per event, over a mix of events like a busy
// server's, with field values at hand. `./dev bench` prints it beside the figures of decoding and
// state.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tiercel::rules {

// The text of a file of `count` rules such as people write: a few shapes, each with values of its
// own.
std::string generated_rules(unsigned count);

struct MatchingFigure {
    std::string name; // "stock rules", "25 rules", "500 rules"
    double ns_per_event = 0;
    double fetches_per_event = 0;
    std::uint64_t matches = 0; // so that nothing is optimized away
};

// `rule_file` may be empty: then only generated rules are measured.
std::vector<MatchingFigure> bench_matching(const std::string& rule_file,
                                           std::uint64_t events = 2'000'000);

} // namespace tiercel::rules
