// SPDX-License-Identifier: Apache-2.0
//
// GroupBuilder: decides which comparisons are worth merging, and merges them into Groups.
#pragma once

#include <map>
#include <span>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "analyzer/match/program.h"

namespace tiercel::filter {

class GroupBuilder {
  public:
    explicit GroupBuilder(const Graph& graph) : graph_(graph) {}
    // Adds comparison `id`. Call once for each comparison.
    void add(NodeId id);
    // Makes the groups. Afterwards place() returns the place of a comparison.
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
    Group make(const Key& key, std::span<const NodeId> nodes) const;
    void fill_equal(Group& group, std::span<const NodeId> nodes) const;

    const Graph& graph_;
    std::map<Key, Members> members_;
    std::unordered_map<NodeId, Place> places_;
};

} // namespace tiercel::filter
