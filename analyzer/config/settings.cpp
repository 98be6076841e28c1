// SPDX-License-Identifier: Apache-2.0
#include "analyzer/config/settings.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>

namespace tiercel::config {

namespace {

using Problems = std::vector<SettingsProblem>;
// Takes a setting from a node; what is wrong with it, or empty.
using Take = std::function<std::string(const DocumentNode&, Settings&)>;

Take flag(bool Settings::*member) {
    return [member](const DocumentNode& node, Settings& settings) -> std::string {
        return node.is_scalar() && read_bool(node.scalar, settings.*member)
                   ? ""
                   : "must be true or false";
    };
}

Take word(std::string Settings::*member) {
    return [member](const DocumentNode& node, Settings& settings) -> std::string {
        settings.*member = node.scalar;
        return node.is_scalar() || node.is_null() ? "" : "must be a text";
    };
}

Take number(std::uint64_t Settings::*member, std::uint64_t low, std::uint64_t high) {
    return [=](const DocumentNode& node, Settings& settings) -> std::string {
        std::uint64_t value = 0;
        const char* end = node.scalar.data() + node.scalar.size();
        const auto [stop, error] = std::from_chars(node.scalar.data(), end, value);
        if (!node.is_scalar() || error != std::errc() || stop != end || value < low || value > high)
            return "must be a whole number from " + std::to_string(low) + " to " +
                   std::to_string(high);
        settings.*member = value;
        return "";
    };
}

std::string words(const DocumentNode& node, std::vector<std::string>& list) {
    list.clear();
    if (node.is_scalar())
        list.push_back(node.scalar);
    for (const DocumentNode& item : node.items)
        list.push_back(item.scalar);
    const bool plain = std::all_of(node.items.begin(), node.items.end(),
                                   [](const DocumentNode& item) { return item.is_scalar(); });
    return plain && !node.is_mapping() ? "" : "must be a text or a sequence of texts";
}

Take word_list(std::vector<std::string> Settings::*member) {
    return [member](const DocumentNode& node, Settings& settings) {
        return words(node, settings.*member);
    };
}

Take priority(Priority Settings::*member) {
    return [member](const DocumentNode& node, Settings& settings) -> std::string {
        const auto found = find_priority(node.scalar);
        settings.*member = found.value_or(settings.*member);
        return found ? ""
                     : "must be emergency, alert, critical, error, warning, notice, info or debug";
    };
}

std::string take_matching(const DocumentNode& node, Settings& settings) {
    settings.match_all = node.scalar == "all";
    return settings.match_all || node.scalar == "first" ? "" : "must be first or all";
}

std::string take_capture_mode(const DocumentNode& node, Settings& settings) {
    settings.capture_all_rules = node.scalar == "all_rules";
    return settings.capture_all_rules || node.scalar == "rules" ? "" : "must be rules or all_rules";
}

// Falco's 0 asks for a queue without bound, which would let a blocked output take all memory.
std::string take_capacity(const DocumentNode& node, Settings& settings) {
    const std::uint64_t ours = Settings().queue_capacity;
    std::string wrong = number(&Settings::queue_capacity, 0, 1'000'000)(node, settings);
    if (settings.queue_capacity == 0)
        settings.queue_capacity = ours;
    return wrong;
}

std::string text_of(const DocumentNode& node, std::string_view key) {
    const DocumentNode* value = node.find(key);
    return value != nullptr && value->is_scalar() ? value->scalar : std::string();
}

// What is wrong with the keys of an entry: those that nobody knows must not pass for settings.
std::string check_keys(const DocumentNode& node, std::initializer_list<std::string_view> known) {
    for (const DocumentNode& key : node.keys)
        if (std::find(known.begin(), known.end(), key.scalar) == known.end())
            return "has the unknown key '" + key.scalar + "' in line " +
                   std::to_string(key.mark.line);
    return "";
}

std::string take_rules(const DocumentNode& node, Settings& settings) {
    settings.rules.clear();
    for (const DocumentNode& item : node.items) {
        const bool enable = item.find("enable") != nullptr;
        const DocumentNode* what = item.find(enable ? "enable" : "disable");
        if (what == nullptr || !what->is_mapping())
            return "must be a sequence of `enable: {…}` and `disable: {…}`";
        if (auto wrong = check_keys(item, {"enable", "disable"}); !wrong.empty())
            return wrong;
        if (auto wrong = check_keys(*what, {"rule", "tag"}); !wrong.empty())
            return wrong;
        settings.rules.push_back({enable, text_of(*what, "rule"), text_of(*what, "tag")});
        if (settings.rules.back().rule.empty() && settings.rules.back().tag.empty())
            return "has an entry that names neither a rule nor a tag";
    }
    return node.is_sequence() || node.is_null() ? "" : "must be a sequence";
}

std::string take_extra_fields(const DocumentNode& node, Settings::Addition& addition) {
    for (const DocumentNode& item : node.items) {
        if (item.is_scalar()) { // a field by itself
            addition.extra_fields.emplace_back(item.scalar, '%' + item.scalar);
            continue;
        }
        if (!item.is_mapping() || item.keys.size() != 1 || !item.items[0].is_scalar())
            return "has extra_fields that are neither a field nor `name: format`";
        addition.extra_fields.emplace_back(item.keys[0].scalar, item.items[0].scalar);
    }
    return "";
}

std::string take_match(const DocumentNode& match, Settings::Addition& addition) {
    addition.source = text_of(match, "source");
    addition.rule = text_of(match, "rule");
    if (const DocumentNode* tags = match.find("tags"))
        if (const std::string wrong = words(*tags, addition.tags); !wrong.empty())
            return "has match.tags, which " + wrong;
    return check_keys(match, {"source", "rule", "tags"});
}

std::string take_addition(const DocumentNode& item, Settings::Addition& addition) {
    if (!item.is_mapping())
        return "must be a sequence of mappings";
    if (const DocumentNode* match = item.find("match"))
        if (std::string wrong = take_match(*match, addition); !wrong.empty())
            return wrong;
    addition.extra_output = text_of(item, "extra_output");
    if (const DocumentNode* suggested = item.find("suggested_output"))
        if (!suggested->is_scalar() || !read_bool(suggested->scalar, addition.suggested_fields))
            return "has suggested_output, which must be true or false";
    if (const DocumentNode* fields = item.find("extra_fields"))
        if (std::string wrong = take_extra_fields(*fields, addition); !wrong.empty())
            return wrong;
    return check_keys(item, {"match", "extra_output", "suggested_output", "extra_fields"});
}

std::string take_additions(const DocumentNode& node, Settings& settings) {
    settings.append_output.clear();
    for (const DocumentNode& item : node.items)
        if (std::string wrong = take_addition(item, settings.append_output.emplace_back());
            !wrong.empty())
            return wrong;
    return node.is_sequence() || node.is_null() ? "" : "must be a sequence";
}

constexpr std::uint64_t kMostMilliseconds = 3'600'000;

struct Row {
    std::string_view key;
    Take take;
};

const std::vector<Row>& rows() {
    static const std::vector<Row> kRows = {
        {"rules_files", word_list(&Settings::rules_files)},
        {"rules_file", word_list(&Settings::rules_files)},
        {"rules", take_rules},
        {"append_output", take_additions},
        {"priority", priority(&Settings::priority)},
        {"rule_matching", take_matching},
        {"json_output", flag(&Settings::json_output)},
        {"json_include_output_property", flag(&Settings::json_include_output)},
        {"json_include_tags_property", flag(&Settings::json_include_tags)},
        {"json_include_message_property", flag(&Settings::json_include_message)},
        {"json_include_output_fields_property", flag(&Settings::json_include_fields)},
        {"time_format_iso_8601", flag(&Settings::time_iso_8601)},
        {"outputs_queue.capacity", take_capacity},
        {"stdout_output.enabled", flag(&Settings::stdout_enabled)},
        {"file_output.enabled", flag(&Settings::file_enabled)},
        {"file_output.filename", word(&Settings::file_name)},
        {"syslog_output.enabled", flag(&Settings::syslog_enabled)},
        {"program_output.enabled", flag(&Settings::program_enabled)},
        {"program_output.program", word(&Settings::program)},
        {"unix_socket_output.enabled", flag(&Settings::socket_enabled)},
        {"unix_socket_output.path", word(&Settings::socket_path)},
        {"capture.enabled", flag(&Settings::capture_enabled)},
        {"capture.mode", take_capture_mode},
        {"capture.path_prefix", word(&Settings::capture_prefix)},
        {"capture.default_duration", number(&Settings::capture_duration_ms, 1, kMostMilliseconds)},
        {"capture.before", number(&Settings::capture_before_ms, 1, kMostMilliseconds)},
        {"capture.files", number(&Settings::capture_files, 2, 500)},
        {"engine.kind", word(&Settings::driver)},
        {"engine.modern_ebpf.buf_size_preset", number(&Settings::buffer_preset, 1, 10)},
        {"engine.ebpf.buf_size_preset", number(&Settings::buffer_preset, 1, 10)},
        {"engine.kmod.buf_size_preset", number(&Settings::buffer_preset, 1, 10)},
        {"base_syscalls.custom_set", word_list(&Settings::base_syscalls)},
        {"base_syscalls.repair", flag(&Settings::repair_base_syscalls)},
        {"enricher.socket", word(&Settings::enricher)},
        {"log_level", priority(&Settings::log_level)},
        {"log_stderr", flag(&Settings::log_stderr)},
        {"log_syslog", flag(&Settings::log_syslog)},
        {"hostname", word(&Settings::hostname)},
    };
    return kRows;
}

// Keys of falco.yaml that are understood, and mean nothing here.
constexpr std::array<std::string_view, 26> kUnused = {"buffered_outputs",
                                                      "config_files",
                                                      "watch_config_files",
                                                      "plugins",
                                                      "load_plugins",
                                                      "plugins_hostinfo",
                                                      "file_output.keep_alive",
                                                      "program_output.keep_alive",
                                                      "http_output",
                                                      "grpc_output",
                                                      "grpc",
                                                      "webserver",
                                                      "libs_logger",
                                                      "output_timeout",
                                                      "outputs",
                                                      "syscall_event_timeouts",
                                                      "syscall_event_drops",
                                                      "metrics",
                                                      "falco_libs",
                                                      "container_engines",
                                                      "engine.replay",
                                                      "engine.gvisor",
                                                      "engine.modern_ebpf",
                                                      "engine.ebpf",
                                                      "engine.kmod",
                                                      "base_syscalls.all"};

// Edits are counted by whole keys here; the condition language's suggestions are out of reach below
// it.
std::string nearest_key(std::string_view key) {
    const auto shared = [](std::string_view a, std::string_view b) {
        return static_cast<std::size_t>(
            std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
    };
    std::string_view best;
    for (const Row& row : rows()) {
        if (shared(key, row.key) > std::max<std::size_t>(3, shared(key, best)))
            best = row.key;
    }
    return best.empty() ? std::string() : "did you mean '" + std::string(best) + "'?";
}

bool leads_to_row(const std::string& key) {
    return std::any_of(rows().begin(), rows().end(),
                       [&key](const Row& row) { return row.key.starts_with(key + '.'); });
}

void take(const std::string& key, const DocumentNode& node, const Mark& mark, Settings& settings,
          Problems& problems);

void take_mapping(const std::string& prefix, const DocumentNode& node, Settings& settings,
                  Problems& problems) {
    for (std::size_t i = 0; i < node.keys.size(); ++i)
        take(prefix + node.keys[i].scalar, node.items[i], node.keys[i].mark, settings, problems);
}

void take(const std::string& key, const DocumentNode& node, const Mark& mark, Settings& settings,
          Problems& problems) {
    const auto say = [&](bool error, std::string message, std::string hint = {}) {
        problems.push_back({error, mark.line, mark.column, std::move(message), std::move(hint)});
    };
    const auto row = std::find_if(rows().begin(), rows().end(),
                                  [&key](const Row& candidate) { return candidate.key == key; });
    if (row != rows().end()) {
        if (const std::string wrong = row->take(node, settings); !wrong.empty())
            say(true, "'" + key + "' " + wrong);
    } else if (leads_to_row(key) && (node.is_mapping() || node.is_null())) {
        take_mapping(key + '.', node, settings, problems);
    } else if (std::any_of(kUnused.begin(), kUnused.end(), [&key](std::string_view unused) {
                   return key == unused || key.starts_with(std::string(unused) + '.');
               })) {
        say(false, "'" + key + "' has no meaning here and is ignored");
    } else {
        say(true, "unknown key '" + key + "'", nearest_key(key));
    }
}

} // namespace

void read_settings(std::string_view text, Settings& settings, Problems& problems) {
    const auto result = read_document(text);
    if (const auto* error = std::get_if<DocumentError>(&result)) {
        problems.push_back(
            {true, error->mark.line, error->mark.column, "this is no YAML: " + error->message, {}});
        return;
    }
    for (const DocumentNode& root : std::get<0>(result)) {
        if (root.is_mapping())
            take_mapping("", root, settings, problems);
        else if (!root.is_null())
            problems.push_back(
                {true, root.mark.line, root.mark.column, "must be a mapping of keys", {}});
    }
}

void read_option(std::string_view option, Settings& settings, Problems& problems) {
    const std::size_t equal = option.find('=');
    if (equal == std::string_view::npos || equal == 0) {
        problems.push_back({true, 0, 0, "'" + std::string(option) + "' is no `key=value`", {}});
        return;
    }
    const auto result = read_document(option.substr(equal + 1));
    if (const auto* error = std::get_if<DocumentError>(&result)) {
        problems.push_back({true, 0, 0, "'" + std::string(option) + "': " + error->message, {}});
        return;
    }
    const auto& roots = std::get<0>(result);
    take(std::string(option.substr(0, equal)), roots.empty() ? DocumentNode() : roots[0], Mark(),
         settings, problems);
}

} // namespace tiercel::config
