// SPDX-License-Identifier: Apache-2.0
//
// Makes the configuration of a session: reads the configuration files, applies the options, and
// checks the values that depend on more than one key.
#include "analyzer/setup/config.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

#include "analyzer/output/alerts/outputs.h"
#include "analyzer/setup/selection.h"
#include "kernel/common/abi.h"
#include "shared/wire/client.h"

namespace tiercel::app {

namespace {

using config::Settings;
using rules::Severity;

// Returns the text of the file, or nothing, with the reason in errno.
std::optional<std::string> read_text(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    if (!file.is_open())
        return std::nullopt;
    text << file.rdbuf();
    if (file.bad())
        return std::nullopt;
    return text.str();
}

void read_file(const std::string& path, std::string_view named_by, Settings& settings,
               Findings& findings) {
    const auto text = read_text(path);
    if (!text)
        return findings.add_error(std::string(named_by),
                                  path + ": " + std::generic_category().message(errno));
    std::vector<config::SettingsProblem> problems;
    config::read_settings(*text, settings, problems);
    findings.add(path, *text, problems);
}

void swap_lists(Settings& one, Settings& other) {
    one.rules_files.swap(other.rules_files);
    one.rules.swap(other.rules);
    one.append_output.swap(other.append_output);
    one.static_fields.swap(other.static_fields);
}

// The sequences of a file that is merged by "append", Falco's default, follow those before it.
void merge_file(const std::string& path, bool append, Settings& settings, Findings& findings) {
    Settings before, merged;
    if (append)
        swap_lists(before, settings);
    read_file(path, "config_files", settings, findings);
    swap_lists(merged, settings);
    config::append_lists(std::move(before), settings);
    config::append_lists(std::move(merged), settings);
}

// Merges the files and directories of config_files. Falco ignores those that do not exist, because
// its own falco.yaml names a directory that few installations have.
void merge_files(Settings& settings, Findings& findings) {
    const auto named = std::exchange(settings.config_files, {});
    for (const Settings::ConfigFile& file : named) {
        std::error_code error;
        std::vector<std::string> paths;
        if (std::filesystem::is_directory(file.path, error)) {
            for (const auto& entry : std::filesystem::directory_iterator(file.path, error))
                if (entry.path().extension() == ".yaml" || entry.path().extension() == ".yml")
                    paths.push_back(entry.path().string());
            if (error)
                findings.add_error("config_files", file.path + ": " + error.message());
            std::ranges::sort(paths);
        } else if (std::filesystem::exists(file.path, error)) {
            paths.push_back(file.path);
        }
        for (const std::string& path : paths)
            merge_file(path, file.append, settings, findings);
    }
    settings.config_files.clear(); // a merged file cannot name further ones
}

void read_keys(const CommandLine& given, Settings& settings, Findings& findings) {
    if (!given.config_file.empty())
        read_file(given.config_file, "-c", settings, findings);
    merge_files(settings, findings);
    for (const std::string& key : given.keys) {
        std::vector<config::SettingsProblem> problems;
        config::read_option(key, settings, problems);
        findings.add("-o", "", problems);
    }
}

// 1 is 1 MiB, and each step doubles it, as in falco.yaml.
constexpr std::uint32_t preset_bytes(std::uint64_t preset) {
    return 1U << (19 + preset);
}

// engine.kind also takes "replay", which is no driver.
void take_engine(const CommandLine& given, Config& config, Findings& findings) {
    const Settings& settings = config.settings;
    config.replay = given.replay;
    if (given.driver) {
        config.request.driver = *given.driver;
    } else if (settings.driver == "replay") {
        if (config.replay.empty())
            config.replay = settings.replay_file;
        if (config.replay.empty())
            findings.add_error("engine.kind", "replay needs engine.replay.capture_file, the "
                                              "capture to replay");
    } else if (const auto driver = wire::find_driver(settings.driver)) {
        config.request.driver = *driver;
    } else if (!settings.driver.empty()) {
        findings.add_error("engine.kind", "must be auto, replay, " + wire::client::driver_kinds() +
                                              ", not '" + settings.driver + "'");
    }
}

// Returns the keys of the driver that the session asks for. Where the driver is to be found out,
// they are those of the first that is tried.
const Settings::Engine& engine_of(const Config& config) {
    switch (config.request.driver) {
    case wire::Driver::classic: return config.settings.ebpf;
    case wire::Driver::module: return config.settings.kmod;
    case wire::Driver::automatic:
    case wire::Driver::modern:
    case wire::Driver::userspace:
    case wire::Driver::count: break;
    }
    return config.settings.modern;
}

void take_rings(const CommandLine& given, Config& config) {
    const Settings& settings = config.settings;
    const Settings::Engine& engine = engine_of(config);
    config.drop_failed = engine.drop_failed;
    wire::Request& request = config.request;
    if (given.ring_bytes)
        request.ring_bytes = *given.ring_bytes;
    else if (engine.buffer_preset > 0)
        request.ring_bytes = preset_bytes(engine.buffer_preset);
    if (given.cpus_per_ring)
        request.cpus_per_ring = *given.cpus_per_ring;
    else if (settings.cpus_per_ring)
        request.cpus_per_ring = static_cast<std::uint32_t>(*settings.cpus_per_ring);
    if (given.snaplen)
        request.snaplen = *given.snaplen;
    else if (settings.snaplen > 0)
        request.snaplen = static_cast<std::uint32_t>(settings.snaplen);
    if (given.args_max)
        request.args_max = std::max(*given.args_max, wire::kArgsMin);
}

void take_paths(const CommandLine& given, Config& config) {
    if (given.paths_as_given)
        config.settings.paths_as_given = *given.paths_as_given;
    if (!config.settings.paths_as_given)
        config.request.tracepoints |= TIERCEL_TP_PATHS;
}

// Falco ignores names that it does not know in base_syscalls, too.
void check_base_syscalls(const Settings& settings, Findings& findings) {
    for (const std::string& name : settings.base_syscalls)
        if (auto problem = check_syscall(std::string_view(name).substr(name.starts_with('!'))))
            findings.add(Severity::warning, "base_syscalls.custom_set",
                         *problem + "; the name is ignored");
}

void check_log(const Settings& settings, Findings& findings) {
    if (!settings.log_stderr)
        findings.add(Severity::warning, "log_stderr",
                     "cannot be switched off: 2>/dev/null silences the analyzer");
    if (settings.log_syslog)
        findings.add(Severity::warning, "log_syslog",
                     "is not supported: messages about the analyzer itself go to standard error, "
                     "which under systemd is the journal");
}

} // namespace

Config make_config(const CommandLine& given, Findings& findings) {
    Config config;
    static_cast<SessionOptions&>(config) = static_cast<const SessionOptions&>(given);
    config.check_only = given.task == CommandLine::Task::validate;
    Settings& settings = config.settings;
    read_keys(given, settings, findings);
    if (given.form == Form::json)
        settings.json_output = true;
    config.form = settings.json_output ? Form::json : given.form;
    if (!given.rules.empty()) {
        settings.rules_files = given.rules;
        config.rules_must_exist = true;
    }
    if (given.memory)
        settings.memory_limit = *given.memory;
    if (!given.capture_alerts.empty()) {
        settings.capture_enabled = settings.capture_all_rules = true;
        settings.capture_directory = given.capture_alerts;
    }
    if (!given.base_syscalls.empty())
        settings.base_syscalls = given.base_syscalls;
    take_engine(given, config, findings);
    take_rings(given, config);
    take_paths(given, config);
    if (given.no_kernel_filter)
        settings.kernel_filter = false;
    check_base_syscalls(settings, findings);
    check_log(settings, findings);
    if (config.asks_for_rules() && !config.top && !config.gathers() &&
        !alerts::any_enabled(settings))
        findings.add_error("-c", "no output is enabled, so that alerts would go nowhere: set " +
                                     alerts::output_names() + " to true");
    return config;
}

} // namespace tiercel::app
