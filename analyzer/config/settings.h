// SPDX-License-Identifier: Apache-2.0
//
// Settings: what the configuration file (`-c`) and single options (`-o key=value`) say. Keys are
// those of falco.yaml where they mean the same. Each setting is one row of the table in
// settings.cpp.
//
//     Settings settings;
//     std::vector<SettingsProblem> problems;
//     read_settings(text, settings, problems);                 // the file first
//     read_option("json_output=true", settings, problems);     // then each -o, in order
//     a problem with `error` set is a reason not to start; the others are printed
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "analyzer/config/document.h"
#include "analyzer/config/priority.h"

namespace tiercel::config {

struct Settings {
    struct Selection {
        bool enable = false;
        std::string rule;
        std::string tag;
    };
    struct Addition { // append_output
        std::string source;
        std::vector<std::string> tags;
        std::string rule;
        std::string extra_output;
        std::vector<std::pair<std::string, std::string>> extra_fields;
        bool suggested_fields = false;
    };

    std::vector<std::string> rules_files;
    std::vector<Selection> rules;
    std::vector<Addition> append_output;
    Priority priority = Priority::debug;
    bool match_all = false; // rule_matching

    bool json_output = false;
    bool json_include_output = true;
    bool json_include_tags = true;
    bool json_include_message = false;
    bool json_include_fields = true;
    bool time_iso_8601 = false;

    std::uint64_t queue_capacity = 10'000; // outputs_queue.capacity; there is no unbounded one
    bool stdout_enabled = true;
    bool file_enabled = false;
    std::string file_name;
    bool syslog_enabled = false;
    bool program_enabled = false;
    std::string program;
    bool socket_enabled = false; // unix_socket_output: ours
    std::string socket_path;

    bool capture_enabled = false;
    bool capture_all_rules = false; // capture.mode
    std::string capture_prefix = "/tmp/tiercel";
    std::uint64_t capture_duration_ms = 5000; // capture.default_duration: after the alert
    std::uint64_t capture_before_ms = 5000;   // capture.before: ours
    std::uint64_t capture_files = 10;         // capture.files: ours

    std::string driver; // engine.kind: modern_ebpf, ebpf, kmod, replay, …; empty: not said
    std::uint64_t buffer_preset = 0; // engine.*.buf_size_preset; 0: not said
    std::vector<std::string> base_syscalls;
    bool repair_base_syscalls = false;
    Priority log_level = Priority::informational; // the least severe that is said on stderr
    bool log_stderr = true;                       // not to be had otherwise
    bool log_syslog = false;                      // not to be had otherwise
    std::string enricher;                         // enricher.socket: ours; empty: nobody is asked
    std::string hostname;                         // ours: in place of the machine's
};

struct SettingsProblem {
    bool error = true;
    std::uint32_t line = 0; // 0: an option given with -o
    std::uint32_t column = 0;
    std::string message;
    std::string hint;
};

void read_settings(std::string_view text, Settings& settings,
                   std::vector<SettingsProblem>& problems);
// "key.of.it=value", the value as YAML.
void read_option(std::string_view option, Settings& settings,
                 std::vector<SettingsProblem>& problems);

} // namespace tiercel::config
