// SPDX-License-Identifier: Apache-2.0
//
// Top: the rates of the last period by process and container, event type and rule, with drops and
// lag: a page for a terminal, or lines for a pipe.
//
//     top.count(comm, container, type);             // each event
//     top.match(rule);                              // each match
//     top.take(totals);                             // about each second; counting begins anew
//     top.append_page(out, size, view);             // as often as the view changes
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
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const {
            return std::hash<std::string_view>()(text);
        }
    };
    using Counts = std::unordered_map<std::string, std::uint64_t, Hash, std::equal_to<>>;

    void add(std::string_view name);
    const Counts& counts() const { return counts_; }
    // Returns all names, the most frequent first, and forgets the counts.
    std::vector<std::pair<std::string, std::uint64_t>> take();

  private:
    Counts counts_;
};

class Top {
  public:
    struct Totals {
        std::uint64_t events, drops;         // since the session began; drops are the probe's
        std::string_view drop_reason;        // of most drops; empty if there are none
        std::uint64_t filtered;              // events that the kernel filter kept back
        std::uint64_t ns;                    // CLOCK_MONOTONIC
        std::uint64_t lag_ns;                // of the last event
        std::uint64_t ring_used, ring_bytes; // the fullest ring
        std::size_t threads;                 // in the table
    };
    enum class Sort : std::uint8_t { events, name, container };
    struct View {
        Sort sort = Sort::events; // of the processes
        std::string filter;       // shows what contains it, in any case of letters; empty: all
        bool is_typing = false;   // the filter is being typed
        bool is_paused = false;
    };

    // The first period begins at `start_ns` of CLOCK_MONOTONIC.
    explicit Top(std::uint64_t start_ns = 0) { now_.ns = start_ns; }

    // `container`: empty for the host.
    void count(std::string_view process, std::string_view container, std::string_view type);
    void match(std::string_view rule) {
        rules_.add(rule);
        all_rules_.add(rule);
    }
    // Ends a period, whose rates the page shows from now on.
    void take(const Totals& totals);
    // Replaces the lines about the courier's destinations, each of which has a line of its own.
    void set_destinations(std::vector<std::string> destinations) {
        destinations_ = std::move(destinations);
    }

    // Appends a page of exactly size.rows lines, none longer than size.columns, from the top of the
    // terminal. It has at least 40 columns and 10 rows.
    void append_page(Buffer& out, TerminalSize size, const View& view) const;
    // Appends the same as lines: the whole, then the busiest processes, and the rules that matched.
    // Each begins with `time`.
    void append_lines(Buffer& out, std::string_view time) const;

  private:
    struct Process {
        std::string name, container;
        std::uint64_t count;
    };
    std::vector<Process> shown_processes(const View& view) const;
    std::string status_line(const View& view) const;
    double rate(std::uint64_t count) const { return static_cast<double>(count) / seconds_; }

    std::string key_; // a member so that its memory is used again
    Tally processes_, types_, rules_, all_rules_;
    Totals now_{}, before_{};
    double seconds_ = 1; // of the last period
    std::vector<Process> last_processes_;
    std::vector<std::pair<std::string, std::uint64_t>> last_types_, last_rules_;
    std::vector<std::string> destinations_;
};

} // namespace tiercel::output
