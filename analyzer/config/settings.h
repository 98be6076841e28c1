// SPDX-License-Identifier: Apache-2.0
//
// Settings: the values of the keys of the configuration file (`-c`) and of single options (`-o
// key=value`). A key has the name that it has in falco.yaml if it means the same there. Each key is
// one row of keys.def.
//
//     Settings settings;
//     std::vector<SettingsProblem> problems;
//     read_settings(text, settings, problems);                 // the file first
//     read_option("json_output=true", settings, problems);     // then each -o, in order
//     a problem with `error` set is a reason not to start; the others are warnings
#pragma once

#include <array>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "analyzer/config/priority.h"
#include "shared/document/document.h"

namespace tiercel::config {

// The outputs of outputs.def, in its order.
enum class Output : std::uint8_t {
#define OUTPUT(id, ...) id,
#include "analyzer/config/outputs.def"
#undef OUTPUT
};
inline constexpr Output kEveryOutput[] = {
#define OUTPUT(id, ...) Output::id,
#include "analyzer/config/outputs.def"
#undef OUTPUT
};
inline constexpr std::size_t kOutputs = std::size(kEveryOutput);
constexpr std::size_t index_of(Output output) {
    return static_cast<std::size_t>(output);
}

struct OutputSettings {
    bool enabled = false;
    std::string target; // a file, a socket or a command
};

// The bounds of memory_limit, in bytes.
constexpr std::uint64_t kLeastMemory = std::uint64_t{4} << 20, kMostMemory = std::uint64_t{1} << 40;

struct Settings {
    struct ConfigFile {
        std::string path;
        bool append = true; // its lists follow the lists before it; false: they replace them
    };
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

    std::vector<ConfigFile> config_files;
    std::vector<std::string> rules_files;
    std::vector<Selection> rules;
    std::vector<Addition> append_output;
    std::vector<std::pair<std::string, std::string>> static_fields; // name and text
    Priority priority = Priority::debug;
    bool match_all = false;      // rule_matching
    bool paths_as_given = false; // paths

    bool json_output = false;
    bool json_include_output = true;
    bool json_include_tags = true;
    bool json_include_message = false;
    bool json_include_fields = true;
    bool time_iso_8601 = false;
    bool bytes_in_base64 = false; // buffer_format_base64

    std::array<OutputSettings, kOutputs> outputs = {{
#define OUTPUT(id, prefix, target, enabled, ...) {enabled, {}},
#include "analyzer/config/outputs.def"
#undef OUTPUT
    }};
    std::uint64_t queue_capacity = 10'000; // outputs_queue.capacity
    double output_rate = 0;                // outputs.rate: alerts per second; 0: no limit
    std::uint64_t output_burst = 1000;
    std::vector<std::string> fold_by;      // outputs.fold.by; empty: alerts are not folded
    std::uint64_t fold_window_ms = 10'000; // outputs.fold.window
    bool program_keep_alive = false;
    bool file_keep_alive = false; // the file is always kept open

    struct DropActions {
        bool log = true, alert = true, exit = false;
    };
    double drop_threshold = 0.1; // syscall_event_drops: the share of events
    DropActions drop_actions;
    double drop_rate = 0.03333; // actions per second
    std::uint64_t drop_burst = 1;
    bool simulate_drops = false;
    double max_drop_share = 0.5; // health.max_drop_share
    bool metrics_page = false;   // metrics.page

    bool capture_enabled = false;
    bool capture_all_rules = false; // capture.mode
    std::string capture_prefix = "/tmp/tiercel";
    std::string capture_directory; // capture.directory; empty: capture_prefix names the files
    std::uint64_t capture_duration_ms = 5000; // capture.default_duration: after the alert
    std::uint64_t capture_before_ms = 5000;   // capture.before
    std::uint64_t capture_files = 10;         // capture.files

    std::string driver;      // engine.kind; empty: not given
    std::string replay_file; // engine.replay.capture_file
    // engine.modern_ebpf and its kin, each with its own keys.
    struct Engine {
        std::uint64_t buffer_preset = 0; // buf_size_preset; 0: not given
        bool drop_failed = false;        // drop_failed_exit
    };
    Engine modern, ebpf, kmod;
    std::optional<std::uint64_t> cpus_per_ring; // engine.modern_ebpf.cpus_for_each_buffer
    std::uint64_t snaplen = 0;                  // bytes; 0: the default
    std::vector<std::string> base_syscalls;
    bool repair_base_syscalls = false;
    bool kernel_filter = true;
    Priority log_level = Priority::informational; // less severe messages are not printed
    bool log_stderr = true;                       // false has no effect but a warning
    bool log_syslog = false;                      // true has no effect but a warning
    std::string enricher;                         // its socket; empty: no enricher is asked
    std::uint64_t memory_limit = std::uint64_t{256} << 20; // bytes; of the state, not of rules
    std::string token_file; // metrics.token_file; empty: the service's own
    std::string hostname;   // empty: the machine's own name

    OutputSettings& output(Output which) {
        return outputs[index_of(which)];
    }
    const OutputSettings& output(Output which) const {
        return outputs[index_of(which)];
    }
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
// Reads "key.of.it=value". "list[]=value" and "list[].key=value" append an item to a sequence.
void read_option(std::string_view option, Settings& settings,
                 std::vector<SettingsProblem>& problems);
// Appends the sequences of `from` to those of `settings`.
void append_lists(Settings from, Settings& settings);

} // namespace tiercel::config
