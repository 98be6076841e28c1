// SPDX-License-Identifier: Apache-2.0
//
// GroupBuilder: decides which comparisons are worth merging, and merges them into Groups.
#pragma once

#include <map>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "analyzer/match/program.h"

namespace tiercel::filter {

class GroupBuilder {
  public:
    explicit GroupBuilder(const Graph& graph) : graph_(graph) {}
    // Considers comparison `id`; each is to be added once.
    void add(NodeId id);
    // Makes the groups. After it, place() tells where a comparison went.
    std::vector<Group> build();
    struct Place {
        std::uint32_t group = kNothing;
        std::uint32_t bit = 0;
    };
    Place place(NodeId id) const;

  private:
    using Key = std::tuple<SlotId, Group::Type, bool>; // field, kind, every
    struct Members {
        std::vector<NodeId> nodes;
        std::size_t literals = 0;
    };
    Group make(const Key& key, const Members& members) const;
    void fill_equal(Group& group, const Members& members) const;

    const Graph& graph_;
    std::map<Key, Members> members_;
    std::unordered_map<NodeId, Place> places_;
};

} // namespace tiercel::filter
