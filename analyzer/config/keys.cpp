// SPDX-License-Identifier: Apache-2.0
//
// The readers of the keys' values, and the table of the keys, which is made from keys.def and
// outputs.def.
#include "analyzer/config/keys.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>

namespace tiercel::config {

namespace {

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

std::string read_number(const DocumentNode& node, std::uint64_t low, std::uint64_t high,
                        std::uint64_t& value) {
    const char* end = node.scalar.data() + node.scalar.size();
    const auto [stop, error] = std::from_chars(node.scalar.data(), end, value);
    if (node.is_scalar() && error == std::errc() && stop == end && value >= low && value <= high)
        return "";
    return "must be a whole number from " + std::to_string(low) + " to " + std::to_string(high);
}

// `Number` is a whole number or an optional one.
template <class Number>
Take number(Number Settings::*member, std::uint64_t low, std::uint64_t high) {
    return [=](const DocumentNode& node, Settings& settings) -> std::string {
        std::uint64_t value = 0;
        if (std::string wrong = read_number(node, low, high, value); !wrong.empty())
            return wrong;
        settings.*member = value;
        return "";
    };
}

// A number of one driver's keys, from 1 to 10.
Take buffer_preset(Settings::Engine Settings::*engine) {
    return [engine](const DocumentNode& node, Settings& settings) {
        return read_number(node, 1, 10, (settings.*engine).buffer_preset);
    };
}

Take drop_failed(Settings::Engine Settings::*engine) {
    return [engine](const DocumentNode& node, Settings& settings) -> std::string {
        return node.is_scalar() && read_bool(node.scalar, (settings.*engine).drop_failed)
                   ? ""
                   : "must be true or false";
    };
}

std::string short_number(double value) {
    return std::to_string(static_cast<std::uint64_t>(value));
}

Take real(double Settings::*member, double low, double high) {
    return [=](const DocumentNode& node, Settings& settings) -> std::string {
        char* end = nullptr;
        const double value = std::strtod(node.scalar.c_str(), &end);
        if (!node.is_scalar() || node.scalar.empty() || *end != '\0' || !(value >= low) ||
            !(value <= high))
            return "must be a number from " + short_number(low) + " to " + short_number(high);
        settings.*member = value;
        return "";
    };
}

std::string take_memory(const DocumentNode& node, Settings& settings) {
    const auto size = node.is_scalar() ? read_size(node.scalar) : std::nullopt;
    if (!size || *size < kLeastMemory || *size > kMostMemory)
        return "must be a size from " + std::to_string(kLeastMemory >> 20) + "M to " +
               std::to_string(kMostMemory >> 30) + "G";
    settings.memory_limit = *size;
    return "";
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

std::string take_paths(const DocumentNode& node, Settings& settings) {
    settings.paths_as_given = node.scalar == "as-given";
    return settings.paths_as_given || node.scalar == "kernel" ? "" : "must be kernel or as-given";
}

std::string take_capture_mode(const DocumentNode& node, Settings& settings) {
    settings.capture_all_rules = node.scalar == "all_rules";
    return settings.capture_all_rules || node.scalar == "rules" ? "" : "must be rules or all_rules";
}

// Falco's 0 asks for an unbounded queue, with which a blocked output could take all memory.
std::string take_capacity(const DocumentNode& node, Settings& settings) {
    const std::uint64_t ours = Settings().queue_capacity;
    std::string wrong = number(&Settings::queue_capacity, 0, 1'000'000)(node, settings);
    if (settings.queue_capacity == 0)
        settings.queue_capacity = ours;
    return wrong;
}

// Only enables: courier_output.enabled may be set besides.
std::string take_http_output(const DocumentNode& node, Settings& settings) {
    bool enabled = false;
    if (!node.is_scalar() || !read_bool(node.scalar, enabled))
        return "must be true or false";
    settings.output(Output::courier).enabled |= enabled;
    return "";
}

std::string take_fold_window(const DocumentNode& node, Settings& settings) {
    constexpr std::uint64_t kMost = 3'600'000;
    const char* end = node.scalar.data() + node.scalar.size();
    std::uint64_t value = 0;
    const auto [stop, error] = std::from_chars(node.scalar.data(), end, value);
    const std::string_view unit(stop, static_cast<std::size_t>(end - stop));
    settings.fold_window_ms = unit == "s" ? value * 1000 : value;
    const bool good = error == std::errc() && (unit == "s" || unit == "ms") && value <= kMost &&
                      settings.fold_window_ms >= 1 && settings.fold_window_ms <= kMost;
    return good ? "" : "must be a time from 1ms to 3600s";
}

std::string text_of(const DocumentNode& node, std::string_view key) {
    const DocumentNode* value = node.find(key);
    return value != nullptr && value->is_scalar() ? value->scalar : std::string();
}

// Returns what is wrong with the keys of an entry: an unknown key must not pass for a setting.
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

// A static field is text, so a % in it must not begin a field.
std::string take_static_fields(const DocumentNode& node, Settings& settings) {
    settings.static_fields.clear();
    for (std::size_t i = 0; i < node.keys.size(); ++i) {
        if (!node.items[i].is_scalar())
            return "must be a mapping of names to texts";
        std::string text;
        for (const char c : node.items[i].scalar)
            text.append(c == '%' ? 2 : 1, c);
        settings.static_fields.emplace_back(node.keys[i].scalar, std::move(text));
    }
    return node.is_mapping() || node.is_null() ? "" : "must be a mapping of names to texts";
}

std::string take_config_files(const DocumentNode& node, Settings& settings) {
    settings.config_files.clear();
    if (node.is_scalar())
        settings.config_files.push_back({.path = node.scalar});
    for (const DocumentNode& item : node.items) {
        const bool is_plain = item.is_scalar();
        const std::string strategy = is_plain ? "append" : text_of(item, "strategy");
        Settings::ConfigFile& file = settings.config_files.emplace_back();
        file.path = is_plain ? item.scalar : text_of(item, "path");
        file.append = strategy.empty() || strategy == "append";
        if (!is_plain && !item.is_mapping())
            return "must be a sequence of paths";
        if (auto wrong = check_keys(item, {"path", "strategy"}); !wrong.empty())
            return wrong;
        if (!file.append && strategy != "override")
            return "has a strategy that is neither append nor override";
    }
    return node.is_mapping() ? "must be a sequence of paths" : "";
}

std::string take_drop_actions(const DocumentNode& node, Settings& settings) {
    std::vector<std::string> names;
    if (std::string wrong = words(node, names); !wrong.empty())
        return wrong;
    Settings::DropActions actions{.log = false, .alert = false, .exit = false};
    for (const std::string& name : names) {
        actions.log |= name == "log";
        actions.alert |= name == "alert";
        actions.exit |= name == "exit";
        if (name != "ignore" && name != "log" && name != "alert" && name != "exit")
            return "has the action '" + name + "', which is not ignore, log, alert or exit";
    }
    settings.drop_actions = actions;
    return "";
}

std::string take_plugins(const DocumentNode& node, Settings&) {
    std::vector<std::string> names;
    if (std::string wrong = words(node, names); !wrong.empty())
        return wrong;
    for (const std::string& name : names)
        if (name != "container")
            return "names the plugin '" + name + "', but there are no plugins here";
    return "";
}

constexpr std::uint64_t kMostMilliseconds = 3'600'000;

template <std::size_t Index>
void add_output(std::vector<Key>& keys, std::string_view prefix, std::string_view target,
                bool enabled, std::string_view doc, std::string_view target_doc) {
    using Kind = Key::Standing;
    const Kind standing =
        prefix == "unix_socket_output" || prefix == "courier_output" ? Kind::ours : Kind::same;
    keys.push_back({std::string(prefix) + ".enabled",
                    [](const DocumentNode& node, Settings& settings) -> std::string {
                        return node.is_scalar() &&
                                       read_bool(node.scalar, settings.outputs[Index].enabled)
                                   ? ""
                                   : "must be true or false";
                    },
                    standing, enabled ? "true" : "false", doc});
    if (!target.empty())
        keys.push_back({std::string(prefix) + '.' + std::string(target),
                        [](const DocumentNode& node, Settings& settings) -> std::string {
                            settings.outputs[Index].target = node.scalar;
                            return node.is_scalar() || node.is_null() ? "" : "must be a text";
                        },
                        standing, "", target_doc});
}

std::vector<Key> make_keys() {
    using enum Key::Standing;
    std::vector<Key> keys = {
#define KEY(key, take, standing, preset, doc) {key, take, standing, preset, doc},
#define IGNORED(key, doc) {key, nullptr, ignored, "", doc},
#define ELSEWHERE(key, doc) {key, nullptr, elsewhere, "", doc},
#define ABSENT(key, doc) {key, nullptr, absent, "", doc},
#include "analyzer/config/keys.def"
#undef KEY
#undef IGNORED
#undef ELSEWHERE
#undef ABSENT
    };
#define OUTPUT(id, prefix, target, enabled, doc, target_doc)                                       \
    add_output<index_of(Output::id)>(keys, prefix, target, enabled, doc, target_doc);
#include "analyzer/config/outputs.def"
#undef OUTPUT
    return keys;
}

} // namespace

const std::vector<Key>& keys() {
    static const std::vector<Key> kKeys = make_keys();
    return kKeys;
}

const Key* find_key(std::string_view name) {
    const auto found =
        std::ranges::find_if(keys(), [name](const Key& key) { return key.name == name; });
    return found == keys().end() ? nullptr : &*found;
}

} // namespace tiercel::config
