// SPDX-License-Identifier: Apache-2.0
#include "analyzer/setup/detection.h"

#include <filesystem>
#include <system_error>

#include "analyzer/match/host_names.h"
#include "analyzer/match/services.h"
#include "analyzer/rules/output_check.h"
#include "analyzer/rules/rule_engine.h"

namespace tiercel::app {

namespace {

// Files of rules_files may be missing, as in falco.yaml; those of -r must exist.
std::vector<std::string> rule_paths(const Config& config, Findings& findings) {
    if (config.rules_must_exist)
        return config.settings.rules_files;
    std::vector<std::string> paths;
    for (const std::string& path : config.settings.rules_files) {
        std::error_code error;
        if (std::filesystem::exists(path, error) || error)
            paths.push_back(path);
        else
            findings.add(rules::Severity::warning, "rules_files",
                         path + ": there is no such file; the name is ignored");
    }
    return paths;
}

rules::LoadOptions load_options(const config::Settings& settings, filter::Fields& fields) {
    rules::LoadOptions load;
    load.fields = &fields;
    load.check_output = rules::check_outputs_with(fields);
    load.threshold = settings.priority;
    for (const auto& [enable, rule, tag] : settings.rules)
        load.selections.push_back({enable, rule, tag});
    for (const auto& addition : settings.append_output)
        load.additions.push_back({addition.source, addition.tags, addition.rule,
                                  addition.extra_output, addition.extra_fields,
                                  addition.suggested_fields});
    if (!settings.static_fields.empty())
        load.additions.push_back({{}, {}, {}, {}, settings.static_fields, false});
    return load;
}

void take_rules(const Config& config, rules::Loaded loaded, Detection& detection,
                Findings& findings) {
    const rules::Sha256 sum = rules::sum_of(loaded.sources);
    findings.add(std::move(loaded.sources), loaded.diagnostics);
    if (loaded.rules && loaded.rules->rules.empty() && !config.check_only)
        findings.add_error(config.rules_must_exist ? "-r" : "rules_files",
                           "there is no rule in the files: nothing would ever alert");
    if (!findings.good())
        return;
    detection.rules = loaded.rules;
    detection.rules_sum = sum;
}

void read_filter(const Config& config, Detection& detection, Findings& findings) {
    if (config.filter.empty())
        return;
    auto compiled = filter::Condition::compile(config.filter, detection.fields);
    if (auto* condition = std::get_if<filter::Condition>(&compiled))
        detection.filter.emplace(std::move(*condition));
    else
        findings.add("--filter", config.filter,
                     std::get<std::vector<filter::Condition::Problem>>(compiled));
}

} // namespace

std::unique_ptr<Detection> read_detection(const Config& config, Findings& findings) {
    filter::read_services();
    filter::read_host_names();
    auto detection = std::make_unique<Detection>();
    detection->fields.set_base64(config.settings.bytes_in_base64);
    if (config.asks_for_rules() && findings.good())
        take_rules(config,
                   rules::load_files(rule_paths(config, findings),
                                     load_options(config.settings, detection->fields)),
                   *detection, findings);
    read_filter(config, *detection, findings);
    const bool has_other_work =
        config.events || config.top || config.gathers() || !config.record.empty();
    if (findings.good() && !config.asks_for_rules() && !has_other_work)
        findings.add_error("-c", "there are no rules: give rules_files in the configuration, or "
                                 "-r FILE");
    return detection;
}

RuleTexts read_rule_texts(const Config& config, Findings& findings) {
    rules::Loaded read = rules::read_files(rule_paths(config, findings));
    RuleTexts texts;
    for (std::uint32_t file = 0; file < read.sources.size(); ++file)
        texts.emplace_back(read.sources.name(file), read.sources.text(file));
    findings.add(std::move(read.sources), read.diagnostics);
    return texts;
}

void replace_rules(const Config& config, Detection& detection, const RuleTexts& files,
                   Findings& findings) {
    take_rules(config, rules::load_texts(files, load_options(config.settings, detection.fields)),
               detection, findings);
}

} // namespace tiercel::app
