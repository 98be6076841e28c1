// SPDX-License-Identifier: Apache-2.0
//
// Excerpts keeps the text of some events, as EventLine prints them. A line that is longer than
// kMostLine is cut, and the whole is bounded by kMostBytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "analyzer/output/event_line.h"

namespace tiercel::report {

// Returns the first part of `text`, of at most `most` bytes, without a part of a character.
std::string_view cut(std::string_view text, std::size_t most);

class Excerpts {
  public:
    static constexpr std::size_t kMostLine = 600, kMostBytes = std::size_t{16} << 20;

    // Loads the time zone, so construct it before the sandbox.
    Excerpts() : line_(false) {}

    // Returns the index of the event's line, or kNone if there is no room. Several calls for one
    // event return one line.
    std::uint32_t add(const output::Shown& shown);
    std::string_view operator[](std::uint32_t index) const {
        return std::string_view(text_).substr(ends_[index], ends_[index + 1] - ends_[index]);
    }
    std::size_t size() const { return ends_.size() - 1; }
    std::uint64_t cut_lines() const { return cut_; }

  private:
    output::EventLine line_;
    output::Buffer buffer_;
    std::string text_;
    std::vector<std::size_t> ends_{0}; // line i is between ends_[i] and ends_[i + 1]
    std::uint64_t last_ = 0;           // the number of the event of the last line
    std::uint64_t cut_ = 0;
};

} // namespace tiercel::report
