// SPDX-License-Identifier: Apache-2.0
#include "analyzer/setup/setup.h"

#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <sstream>
#include <system_error>

#include "analyzer/rules/engine.h"
#include "analyzer/rules/output_check.h"
#include "analyzer/setup/findings.h"
#include "analyzer/setup/selection.h"
#include "shared/wire/client.h"

namespace tiercel::app {

namespace {

// The whole of it; nothing, and why in errno, when it cannot be read.
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

void read_configuration(const Options& options, Setup& setup, Findings& findings) {
    if (!options.config.empty()) {
        if (const auto text = read_text(options.config)) {
            std::vector<config::SettingsProblem> problems;
            config::read_settings(*text, setup.settings, problems);
            findings.add(options.config, *text, problems);
        } else {
            findings.add_error("-c",
                               options.config + ": " + std::generic_category().message(errno));
        }
    }
    for (const std::string& option : options.settings) {
        std::vector<config::SettingsProblem> problems;
        config::read_option(option, setup.settings, problems);
        findings.add("-o", "", problems);
    }
}

// As with falco.yaml, files of the configuration may be missing; those of -r may not.
std::vector<std::string> rule_paths(const Options& options, const Setup& setup,
                                    Findings& findings) {
    if (!options.rules.empty())
        return options.rules;
    std::vector<std::string> paths;
    for (const std::string& path : setup.settings.rules_files) {
        std::error_code error;
        if (std::filesystem::exists(path, error))
            paths.push_back(path);
        else
            findings.add(rules::Severity::warning, "rules_files",
                         path + ": there is no such file; it is passed over");
    }
    return paths;
}

// As with Falco, names that mean nothing take nothing away from the others.
void check_base_syscalls(const config::Settings& settings, Findings& findings) {
    for (const std::string& name : settings.base_syscalls)
        if (auto problem = check_syscall(std::string_view(name).substr(name.starts_with('!'))))
            findings.add(rules::Severity::warning, "base_syscalls.custom_set",
                         *problem + "; it is passed over");
}

void check_log(const config::Settings& settings, Findings& findings) {
    const auto refuse = [&](const char* key, const char* what) {
        findings.add(rules::Severity::warning, key, what);
    };
    if (!settings.log_stderr)
        refuse("log_stderr", "cannot be switched off: 2>/dev/null silences the analyzer");
    if (settings.log_syslog)
        refuse("log_syslog", "is not supported: what the analyzer says about itself goes to "
                             "standard error, which under systemd is the journal");
}

rules::LoadOptions load_options(Setup& setup) {
    rules::LoadOptions load;
    load.fields = &setup.fields;
    load.check_output = rules::check_outputs_with(setup.fields);
    load.threshold = setup.settings.priority;
    for (const auto& [enable, rule, tag] : setup.settings.rules)
        load.selections.push_back({enable, rule, tag});
    for (const auto& addition : setup.settings.append_output)
        load.additions.push_back({addition.source, addition.tags, addition.rule,
                                  addition.extra_output, addition.extra_fields,
                                  addition.suggested_fields});
    return load;
}

void read_rules(const Options& options, Setup& setup, Findings& findings) {
    const std::vector<std::string> paths = rule_paths(options, setup, findings);
    const bool asked = !options.rules.empty() || !setup.settings.rules_files.empty();
    if (!asked)
        return;
    rules::Loaded loaded = rules::load_files(paths, load_options(setup));
    findings.add(std::move(loaded.sources), std::move(loaded.diagnostics));
    setup.rules = loaded.rules;
    const bool only_checked = options.task == Options::Task::validate; // macros alone are fine
    if (loaded.rules && loaded.rules->rules.empty() && !only_checked)
        findings.add_error("-r", "there is no rule in the files: nothing would ever alert");
}

void read_filter(const Options& options, Setup& setup, Findings& findings) {
    if (options.filter.empty())
        return;
    auto compiled = filter::Condition::compile(options.filter, setup.fields);
    if (auto* condition = std::get_if<filter::Condition>(&compiled))
        setup.filter.emplace(std::move(*condition));
    else
        findings.add("--filter", options.filter,
                     std::get<std::vector<filter::Condition::Problem>>(compiled));
}

// 1 is 1 MiB, and each step doubles it, as in falco.yaml.
constexpr std::uint32_t preset_bytes(std::uint64_t preset) {
    return 1U << (19 + preset);
}

void take_over(const Setup& setup, Options& options, Findings& findings) {
    const config::Settings& settings = setup.settings;
    if (settings.json_output)
        options.form = Options::Form::json;
    options.enricher = settings.enricher;
    if (!options.ring_size_given && settings.buffer_preset > 0)
        options.request.ring_bytes = preset_bytes(settings.buffer_preset);
    if (options.driver_given || settings.driver.empty())
        return;
    if (const auto driver = wire::find_driver(settings.driver))
        options.request.driver = *driver;
    else
        findings.add_error("engine.kind", "must be auto, " + wire::client::driver_kinds() +
                                              ", not '" + settings.driver + "'");
}

std::unique_ptr<Setup> read(Options& options, Findings& findings) {
    auto setup = std::make_unique<Setup>();
    read_configuration(options, *setup, findings);
    if (options.form == Options::Form::json)
        setup->settings.json_output = true;
    take_over(*setup, options, findings);
    if (!options.base_syscalls.empty())
        setup->settings.base_syscalls = options.base_syscalls;
    check_base_syscalls(setup->settings, findings);
    check_log(setup->settings, findings);
    if (findings.good()) // or rules might be judged by half a configuration
        read_rules(options, *setup, findings);
    read_filter(options, *setup, findings);
    return setup;
}

} // namespace

std::unique_ptr<Setup> read_setup(Options& options) {
    Findings findings;
    auto setup = read(options, findings);
    if (findings.good() && !setup->rules && !options.events && !options.top &&
        options.record.empty())
        findings.add_error("-c",
                           "there are no rules: rules_files in the configuration, or -r FILE");
    fmt::print(stderr, "{}", findings.text(setup->settings.log_level));
    return findings.good() ? std::move(setup) : nullptr;
}

int validate(const Options& options) {
    Findings findings;
    Options copy = options;
    const auto setup = read(copy, findings);
    if (options.form == Options::Form::json) {
        fmt::print("{}\n", findings.json());
    } else {
        fmt::print(stderr, "{}", findings.text());
        if (findings.good())
            fmt::print("{} rules are valid\n", setup->rules ? setup->rules->rules.size() : 0);
    }
    return findings.good() ? 0 : 1;
}

} // namespace tiercel::app
