// SPDX-License-Identifier: Apache-2.0
#include "analyzer/match/sets/path.h"

namespace tiercel::filter {

namespace {

// Removes the next component from `rest` and returns it; empty at the end.
std::string_view next_component(std::string_view& rest) {
    while (rest.starts_with('/'))
        rest.remove_prefix(1);
    const std::string_view component = rest.substr(0, rest.find('/'));
    rest.remove_prefix(component.size());
    return component;
}

} // namespace

std::uint32_t PathSet::child(std::uint32_t node, std::string_view component) {
    const auto fresh = static_cast<std::uint32_t>(nodes_.size());
    if (component.find_first_of("*?[") != std::string_view::npos) {
        nodes_[node].globs.emplace_back(Glob(component, false), fresh);
    } else {
        const auto [entry, is_new] = nodes_[node].names.try_emplace(std::string(component), fresh);
        if (!is_new)
            return entry->second;
    }
    nodes_.emplace_back();
    return fresh;
}

void PathSet::add(std::string_view path) {
    std::uint32_t node = 0;
    for (std::string_view name = next_component(path); !name.empty(); name = next_component(path))
        node = child(node, name);
    nodes_[node].is_end = true;
}

// The recursion is as deep as the longest path of the set. The event's path cannot deepen it.
bool PathSet::match_from(std::uint32_t index, std::string_view rest) const {
    const Node& node = nodes_[index];
    if (node.is_end)
        return true;
    const std::string_view component = next_component(rest);
    if (component.empty())
        return false;
    const auto found = node.names.find(component);
    if (found != node.names.end() && match_from(found->second, rest))
        return true;
    for (const auto& [glob, target] : node.globs) {
        if (glob.match(component) && match_from(target, rest))
            return true;
    }
    return false;
}

} // namespace tiercel::filter
