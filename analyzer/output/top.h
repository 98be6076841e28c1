// SPDX-License-Identifier: Apache-2.0
//
// Top: a page for a terminal with the rates of the last second by process, event type and rule, and
// with drops and lag.
//
//     top.count(comm, type);                        // each event
//     top.match(rule);                              // each match
//     top.append_page(out, totals, size);           // about each second; counting begins anew
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "analyzer/output/terminal.h"
#include "analyzer/output/writer.h"

namespace tiercel::output {

// Counts by name. Only a new name costs memory.
class Tally {
  public:
    static constexpr std::size_t kMost = 4096; // names; further ones are counted as "(others)"

    void add(std::string_view name);
    // Returns the most frequent names, at most `most`, and forgets all counts.
    std::vector<std::pair<std::string, std::uint64_t>> take(std::size_t most);

  private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const {
            return std::hash<std::string_view>()(text);
        }
    };
    std::unordered_map<std::string, std::uint64_t, Hash, std::equal_to<>> counts_;
};

class Top {
  public:
    struct Totals {
        std::uint64_t events, drops;         // since the session began; drops are the probe's
        std::uint64_t ns;                    // CLOCK_MONOTONIC
        std::uint64_t lag_ns;                // of the last event
        std::uint64_t ring_used, ring_bytes; // the fullest ring
        std::size_t threads;                 // in the table
    };

    void count(std::string_view process, std::string_view type) {
        processes_.add(process);
        types_.add(type);
    }
    void match(std::string_view rule) { rules_.add(rule); }

    // Appends a page of exactly size.rows lines, none longer than size.columns, from the top of the
    // terminal. It has at least 40 columns and 10 rows.
    void append_page(Buffer& out, const Totals& totals, TerminalSize size);

  private:
    Tally processes_, types_, rules_;
    Totals last_{};
};

} // namespace tiercel::output
