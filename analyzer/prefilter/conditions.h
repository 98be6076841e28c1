// SPDX-License-Identifier: Apache-2.0
//
// From the condition of a rule to the calls for which it may hold: an upper bound, through `and`,
// `or` and `not`, macros and exceptions included, because all of these are nodes of the graph.
#pragma once

#include <functional>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

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

    enum class Truth : std::uint8_t { no, yes, unknown };
    struct Answer {
        Truth truth = Truth::unknown;
        std::vector<filter::NodeId> open; // the comparisons that decide, if the truth is unknown
    };
    // What is known of single comparisons. The condition's answer follows from it for events of
    // this name. Comparisons of evt.type need not be judged.
    using Judge = std::function<Truth(const filter::Test&)>;
    Answer decide(filter::NodeId condition, std::string_view event, const Judge& judge) const;

    // Whether the answer can depend on fd.connected for an event of this name, on a TCP socket.
    bool asks_whether_connected(filter::NodeId condition, std::string_view event);

    bool counts_events() const { return comparisons_.counts_events(); }
    const filter::Graph& graph() const { return graph_; }

  private:
    Boxes evaluate(filter::NodeId node, bool negated, const Call& call);

    const filter::Graph& graph_;
    Comparisons comparisons_;
    bool knows_connected_ = false; // some condition has the field
    std::uint16_t code_ = 0;       // of the event that `known_` is about
    std::map<std::pair<filter::NodeId, bool>, Boxes> known_;
};

} // namespace tiercel::prefilter
