// SPDX-License-Identifier: Apache-2.0
//
// Options: the command line, checked. Everything that can be wrong about it is found here, before
// anything is opened.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "shared/wire/messages.h"

namespace tiercel::app {

struct Options {
    enum class Task : std::uint8_t {
        watch,
        validate,
        help,
        version,
        list_syscalls,
        list_events,
        list_fields,
        list_operators,
        explain_caps
    };
    enum class Form : std::uint8_t { text, json, markdown };

    Task task = Task::watch;
    Form form = Form::text;
    bool events = false;               // show them
    bool top = false;                  // a page of rates, in place of events and alerts
    std::uint64_t count = 0;           // -n: events to show, or without that alerts; 0: no limit
    std::uint64_t seconds = 0;         // -M: how long; 0: no limit
    std::vector<std::string> syscalls; // all known; empty: every one
    std::vector<std::string> base_syscalls; // in place of the state's, all known; "!name": without
    std::string filter;                     // a condition; empty: none
    std::vector<std::string> rules;         // -r: files and directories
    std::string config;                     // -c; empty: none
    std::vector<std::string> settings;      // -o: key=value
    std::string replay;                     // a capture, "-": standard input; empty: live
    std::string record;                     // a capture to write; empty: none
    std::uint64_t record_files = 1;         // -W
    std::uint64_t record_megabytes = 0, record_seconds = 0; // -C, -G; 0: no next file
    wire::Request request; // driver, rings, snaplen and tracepoints; the interest is not set
    bool driver_given = false, ring_size_given = false;
    std::string enricher; // its socket, from the configuration; empty: none
    std::string socket;   // of privd; empty: inherited, or the default path
};

inline constexpr const char* kDefaultSocket = "/run/tiercel/privd.sock";

// The options, or one line that says what is wrong with them (exit code 2).
std::variant<Options, std::string> parse_options(int argc, const char* const* argv);

std::string help_text();

// "8M", "64K", "1G" or a number of bytes; nothing for anything else.
std::optional<std::uint64_t> parse_size(std::string_view text);

} // namespace tiercel::app
