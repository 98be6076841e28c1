// SPDX-License-Identifier: Apache-2.0
//
// PathSet: the paths of a pmatch
//
// A path matches if the set has the path itself or a directory above it, component by component:
// /etc matches /etc and /etc/passwd, not /etcetera. Components with *, ? or [ are globs.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "analyzer/match/sets/glob.h"

namespace tiercel::filter {

class PathSet {
  public:
    void add(std::string_view path);
    bool match(std::string_view path) const { return match_from(0, path); }

  private:
    struct TextHash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const {
            return std::hash<std::string_view>()(text);
        }
    };
    struct Node {
        std::unordered_map<std::string, std::uint32_t, TextHash, std::equal_to<>> names;
        std::vector<std::pair<Glob, std::uint32_t>> globs;
        bool is_end = false;
    };
    bool match_from(std::uint32_t node, std::string_view rest) const;
    std::uint32_t child(std::uint32_t node, std::string_view component);

    std::vector<Node> nodes_ = std::vector<Node>(1);
};

} // namespace tiercel::filter
