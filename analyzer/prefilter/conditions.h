// SPDX-License-Identifier: Apache-2.0
//
// From the condition of a rule to the calls for which it may hold: an upper bound, through `and`,
// `or` and `not`, macros and exceptions included, because all of these are nodes of the graph.
#pragma once

#include <map>
#include <utility>

#include "analyzer/match/program.h"
#include "analyzer/prefilter/comparisons.h"

namespace tiercel::prefilter {

class Conditions {
  public:
    // Both must outlive this object.
    Conditions(const filter::Program& program, const filter::Fields& fields)
        : graph_(program.graph), comparisons_(graph_, fields) {
        for (filter::SlotId slot = 0; slot < graph_.slots().size(); ++slot)
            knows_connected_ = knows_connected_ || comparisons_.reads(slot, "fd.connected");
    }

    // The calls of this event for which the condition may hold.
    Boxes boxes_of(filter::NodeId condition, const Call& call);

    // Whether the answer can depend on fd.connected for an event of this name, on a TCP socket.
    bool asks_whether_connected(filter::NodeId condition, std::string_view event);

    bool counts_events() const { return comparisons_.counts_events(); }

  private:
    Boxes evaluate(filter::NodeId node, bool negated, const Call& call);

    enum class Truth : std::uint8_t { no, yes, unknown };
    struct Answer {
        Truth truth = Truth::unknown;
        bool asks = false;
    };
    Answer on_tcp(filter::NodeId node, std::string_view event);
    Answer test_on_tcp(const filter::Test& test, std::string_view event) const;

    const filter::Graph& graph_;
    Comparisons comparisons_;
    bool knows_connected_ = false; // some condition has the field
    std::uint16_t code_ = 0;       // of the event that `known_` is about
    std::map<std::pair<filter::NodeId, bool>, Boxes> known_;
};

} // namespace tiercel::prefilter
