// SPDX-License-Identifier: Apache-2.0
//
// From one comparison of a rule to the calls for which it may hold. Comparisons that the kernel
// filter cannot judge may hold for every call.
#pragma once

#include <map>
#include <tuple>

#include "analyzer/match/graph.h"
#include "analyzer/prefilter/box.h"
#include "analyzer/prefilter/synthetic.h"

namespace tiercel::prefilter {

class Comparisons {
  public:
    // Both must outlive this object.
    Comparisons(const filter::Graph& graph, const filter::Fields& fields)
        : graph_(graph), fields_(fields), synthetic_(fields) {}

    // The calls of this event for which the comparison may hold or, with `negated`, may not hold.
    Boxes boxes_of(filter::NodeId test, bool negated, const Call& call);

    // The name of the field that the slot is, or "" if it is more than a plain field.
    std::string_view plain_field(filter::SlotId slot) const;
    // Whether the slot reads the field, plain or through transformers.
    bool reads(filter::SlotId slot, std::string_view field) const;

    // Whether some comparison so far depends on which other events there are: on their number or
    // on the time between them.
    bool counts_events() const { return counts_events_; }

  private:
    Boxes by_result(const filter::Test& test, bool negated, const Call& call, bool if_failed);
    Boxes by_open_mode(const filter::Test& test, bool negated, const Call& call);
    Boxes by_text(const filter::Test& test, bool negated, const Call& call);
    bool always(const filter::Test& test, bool negated) const;

    const filter::Graph& graph_;
    const filter::Fields& fields_;
    Synthetic synthetic_;
    bool counts_events_ = false;
    std::map<std::tuple<filter::NodeId, bool, std::uint16_t>, Boxes> known_;
};

} // namespace tiercel::prefilter
