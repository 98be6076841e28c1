// SPDX-License-Identifier: Apache-2.0
//
// Suggestion: finds, among many names, the one that a misspelt word most likely meant: the nearest
// by number of edits, if it is near enough.
#pragma once

#include <string>
#include <string_view>

namespace tiercel::filter {

class Suggestion {
  public:
    explicit Suggestion(std::string_view word);
    void consider(std::string_view name);
    // Returns the name; empty if none is near.
    const std::string& best() const { return best_; }
    // "did you mean 'x'?", or empty.
    std::string hint() const;

  private:
    std::string word_;
    std::string best_;
    std::size_t distance_; // of best_; at first the smallest that is too far
};

// Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`; `limit` when
// that many or more are needed.
std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit);

} // namespace tiercel::filter
