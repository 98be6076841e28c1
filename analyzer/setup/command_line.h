// SPDX-License-Identifier: Apache-2.0
//
// CommandLine: the options that were given, checked one by one, before any file is opened.
// make_config() (config.h) joins the command line and the configuration file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "analyzer/setup/since.h"
#include "shared/wire/messages.h"

namespace tiercel::app {

enum class Form : std::uint8_t { text, json, markdown };

// The values that only the command line sets.
struct SessionOptions {
    bool events = false;               // --events: print events
    bool top = false;                  // --top: draw a page of rates instead of printing alerts
    std::string report;                // --report: the page to write at the end; empty: none
    bool tree = false;                 // --tree: print the processes at the end
    bool timeline = false;             // --timeline: print what happens, a step a line
    std::string container, user;       // --container, --user: of these only; empty: of all
    std::optional<Since> since;        // --since: from then on only
    std::uint64_t count = 0;           // -n: stop after this many events or alerts; 0: no limit
    std::uint64_t seconds = 0;         // -M: stop after this many seconds; 0: no limit
    std::vector<std::string> syscalls; // --syscalls, all known; empty: every system call
    std::string filter;                // --filter: a condition; empty: none
    std::string record;                // --record: the capture to write; empty: none
    std::uint64_t record_files = 1;    // -W
    std::uint64_t record_megabytes = 0, record_seconds = 0; // -C, -G; 0: one file only
    // Tracepoints and attachment are set here; make_config() sets the driver and the rings, and
    // interest_of() sets the interest.
    wire::Request request;
    // Whether events are gathered to a report, a tree or a timeline. Alerts are part of that then,
    // and go to no output.
    bool gathers() const { return !report.empty() || tree || timeline; }
    std::string socket; // --connect: privd's socket; empty: the inherited one or the default
};

struct CommandLine : SessionOptions {
    enum class Task : std::uint8_t {
        watch,
        validate,
        help,
        version,
        list_syscalls,
        list_events,
        list_fields,
        list_operators,
        explain_caps,
        explain_filter
    };

    Task task = Task::watch;
    Form form = Form::text;             // --json, --markdown
    bool details = false;               // -v
    std::string config_file;            // -c; empty: none
    std::vector<std::string> keys;      // -o: KEY=VALUE, in order
    std::vector<std::string> rules;     // -r: files and directories
    std::string replay;                 // --replay: a capture; "-": standard input; empty: none
    std::string capture_alerts;         // --capture-alerts: a directory; empty: as configured
    std::optional<wire::Driver> driver; // --driver
    std::optional<std::uint32_t> ring_bytes;    // --ring-size
    std::optional<std::uint32_t> cpus_per_ring; // --cpus-per-ring
    std::optional<std::uint32_t> snaplen;       // --snaplen, in bytes
    std::optional<std::uint32_t> args_max;      // --args-max, in bytes
    std::optional<std::uint64_t> memory;        // --memory, in bytes
    std::optional<bool> paths_as_given;         // --paths
    bool no_kernel_filter = false;              // --no-kernel-filter
    std::vector<std::string> base_syscalls;     // --base-syscalls, all known; "!name": without
};

// Returns the options, or one line that says what is wrong with them (exit code 2).
std::variant<CommandLine, std::string> parse_command_line(int argc, const char* const* argv);

std::string help_text();

} // namespace tiercel::app
