// SPDX-License-Identifier: Apache-2.0
//
// Reader: turns the items of a rule file into definitions and changes of definitions.
#include "analyzer/rules/reader.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>

#include "analyzer/rules/item.h"

namespace tiercel::rules {

namespace {

using config::DocumentNode;

enum class Change { none, append, replace };
using Overrides = std::map<std::string, Change>;

bool is_identifier(std::string_view name) {
    const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    const auto word = [&](char c) { return letter(c) || (c >= '0' && c <= '9') || c == '_'; };
    return !name.empty() && letter(name[0]) && std::all_of(name.begin(), name.end(), word);
}

bool is_bare_word(std::string_view name) {
    return !name.empty() && name.find_first_of(" \t\r\n\v\f()\"'=,") == std::string_view::npos;
}

// Parses "0.57.0", or a plain number, which versions were in old files.
bool parse_version(std::string_view text, std::array<unsigned, 3>& version) {
    version = {};
    std::size_t parts = 0;
    const char* at = text.data();
    const char* end = at + text.size();
    while (parts < version.size()) {
        const auto [stop, error] = std::from_chars(at, end, version[parts]);
        if (error != std::errc())
            return false;
        ++parts;
        at = stop;
        if (at == end || *at == '-' || *at == '+') // a pre-release or build name follows
            break;
        if (*at++ != '.')
            return false;
    }
    if (parts == 1)
        version = {0, version[0], 0};
    return parts != 2;
}

class Reader {
  public:
    Reader(const Sources& sources, std::uint32_t file, Collector& collector,
           Diagnostics& diagnostics)
        : sources_(sources), file_(file), collector_(collector), diagnostics_(diagnostics) {}

    void read() {
        const auto result = config::read_document(sources_.text(file_));
        if (const auto* error = std::get_if<config::DocumentError>(&result))
            return complain(place_of(file_, error->mark), "this is no YAML: " + error->message);
        for (const DocumentNode& document : std::get<0>(result)) {
            if (document.is_null())
                continue;
            if (!document.is_sequence()) {
                complain(place_of(file_, document.mark), "a rule file must be a sequence of items");
                continue;
            }
            for (const DocumentNode& item : document.items) {
                if (!collector_.takes_more(place_of(file_, item.mark)))
                    return;
                read_item(item);
            }
        }
    }

  private:
    void complain(const Place& place, std::string message) {
        diagnostics_.add({Severity::error, place, 1, {}, std::move(message), {}});
    }

    ItemView view(const DocumentNode& item, std::string subject) {
        return {sources_, file_, item, std::move(subject), diagnostics_};
    }

    // "list 'x'"; for items whose name is no word, the kind alone.
    static std::string subject(const DocumentNode& item, const char* kind) {
        const DocumentNode* name = item.find(kind);
        if (!name->is_scalar())
            return kind;
        return std::string(kind) + " '" + name->scalar.substr(0, kLongestName) + "'";
    }

    void read_item(const DocumentNode& item) {
        if (item.is_null())
            return;
        if (!item.is_mapping())
            return complain(place_of(file_, item.mark), "an item must be a mapping");
        if (item.find("required_engine_version") != nullptr)
            read_engine_version(item);
        else if (item.find("required_plugin_versions") != nullptr)
            read_plugin_versions(item);
        else if (item.find("list") != nullptr)
            read_list(item);
        else if (item.find("macro") != nullptr)
            read_macro(item);
        else if (item.find("rule") != nullptr)
            read_rule(item);
        else
            view(item, {}).warn(place_of(file_, item.mark), "unknown kind of item; it is ignored",
                                "items have one of the keys list, macro, rule, "
                                "required_engine_version, required_plugin_versions");
    }

    void read_engine_version(const DocumentNode& item) {
        ItemView it = view(item, "required_engine_version");
        const std::optional<std::string> text = it.take_word("required_engine_version", true);
        if (!text)
            return;
        std::array<unsigned, 3> wanted{};
        const std::array<unsigned, 3> have = {kEngineVersion.major, kEngineVersion.minor,
                                              kEngineVersion.patch};
        const Place at = it.place_of_key("required_engine_version");
        if (!parse_version(*text, wanted)) {
            it.complain(at, "'" + *text + "' is no version", "0.57.0, or a whole number");
        } else if (wanted[0] != have[0] || wanted > have) {
            it.complain(at, "these rules need engine " + *text + ", this one speaks " +
                                std::to_string(have[0]) + '.' + std::to_string(have[1]) + '.' +
                                std::to_string(have[2]));
        }
    }

    // Required plugins have no effect: the container fields are built in, and a rule of another
    // source is skipped with a warning.
    void read_plugin_versions(const DocumentNode& item) {
        ItemView it = view(item, "required_plugin_versions");
        const DocumentNode* plugins = item.find("required_plugin_versions");
        if (!plugins->is_sequence())
            return it.complain(it.place(), "must be a sequence");
        for (const DocumentNode& plugin : plugins->items) {
            ItemView one = view(plugin, "required_plugin_versions");
            if (!plugin.is_mapping()) {
                one.complain(one.place(),
                             "must be a sequence of mappings with a name and a version");
                continue;
            }
            one.take_word("name", true);
            const std::optional<std::string> version = one.take_word("version", true);
            std::array<unsigned, 3> parsed{};
            if (version && !parse_version(*version, parsed))
                one.complain(one.place_of_key("version"), "'" + *version + "' is no version");
        }
    }

    // Returns the changes that `override:` asks for, by key. Only the keys in `appendable` and
    // `replaceable` may be changed so.
    Overrides read_overrides(ItemView& it, std::initializer_list<std::string_view> appendable,
                             std::initializer_list<std::string_view> replaceable) {
        Overrides overrides;
        const DocumentNode* node = it.node().find("override");
        if (node == nullptr)
            return overrides;
        if (!node->is_mapping())
            it.complain(it.place_of_key("override"), "'override' must be a mapping");
        for (std::size_t i = 0; i < node->keys.size(); ++i) {
            const std::string& key = node->keys[i].scalar;
            const std::string& how = node->items[i].scalar;
            const Place at = place_of(file_, node->keys[i].mark);
            const bool append = how == "append";
            const auto& allowed = append ? appendable : replaceable;
            if (!append && how != "replace")
                it.complain(at, "'" + key + "' must be 'append' or 'replace' under 'override'");
            else if (std::find(allowed.begin(), allowed.end(), key) == allowed.end())
                it.complain(at, "'" + key + "' cannot be " + (append ? "appended to" : "replaced"));
            else if (!it.has(key))
                it.complain(at, "'" + key + "' is to be overridden but is not given");
            else
                overrides[key] = append ? Change::append : Change::replace;
        }
        return overrides;
    }

    bool read_append(ItemView& it, bool overridden) {
        const bool append = it.take_flag("append").value_or(false);
        if (append && overridden)
            it.complain(it.place_of_key("append"), "has both 'append' and 'override'");
        else if (append)
            it.warn(it.place_of_key("append"), "'append' is deprecated",
                    "say it under 'override', as in `override: {condition: append}`");
        return append;
    }

    void read_list(const DocumentNode& item) {
        ItemView it = view(item, subject(item, "list"));
        it.warn_unknown_keys({"list", "items", "append", "override"});
        ListDefinition list;
        list.place = it.place();
        list.name = it.take_name("list").value_or(std::string());
        if (!list.name.empty() && !is_bare_word(list.name))
            it.warn(it.place_of_key("list"), "no condition can use a list of this name",
                    "a name has no blanks, quotes, parentheses, commas or equal signs");
        list.items = it.take_items("items", true).value_or(std::vector<Item>());
        const Overrides overrides = read_overrides(it, {"items"}, {"items"});
        const bool append =
            read_append(it, it.has("override")) ||
            (overrides.contains("items") && overrides.at("items") == Change::append);
        if (!it.good())
            return collector_.mark_broken(list.name);
        append ? collector_.append(std::move(list)) : collector_.define(std::move(list));
    }

    void read_macro(const DocumentNode& item) {
        ItemView it = view(item, subject(item, "macro"));
        it.warn_unknown_keys({"macro", "condition", "append", "override", "desc"});
        MacroDefinition macro;
        macro.place = it.place();
        macro.name = it.take_name("macro").value_or(std::string());
        if (!macro.name.empty() && !is_identifier(macro.name))
            it.warn(it.place_of_key("macro"), "no condition can use a macro of this name",
                    "a name has letters, digits and underscores, and begins with a letter");
        macro.condition = it.take_text("condition", true).value_or(Text());
        const Overrides overrides = read_overrides(it, {"condition"}, {"condition"});
        const bool append =
            read_append(it, it.has("override")) ||
            (overrides.contains("condition") && overrides.at("condition") == Change::append);
        if (!it.good())
            return collector_.mark_broken(macro.name);
        append ? collector_.append(macro) : collector_.define(std::move(macro));
    }

    void read_rule(const DocumentNode& item) {
        ItemView it = view(item, subject(item, "rule"));
        it.warn_unknown_keys({"rule", "condition", "output", "desc", "priority", "tags", "source",
                              "enabled", "warn_evttypes", "skip-if-unknown-filter", "exceptions",
                              "append", "override", "capture", "capture_duration"});
        const std::string name = it.take_name("rule").value_or(std::string());
        const bool overridden = it.has("override");
        if (read_append(it, overridden))
            append_rule(it, name);
        else if (overridden)
            override_rule(it, name);
        else if (!it.has("condition") && !it.has("output") && !it.has("desc") &&
                 !it.has("priority"))
            enable_rule(it, name);
        else
            define_rule(it, name);
        if (!it.good())
            collector_.mark_broken(name);
    }

    void enable_rule(ItemView& it, const std::string& name) {
        if (!it.has("enabled"))
            return it.complain(it.place(), "has neither a condition nor 'enabled'");
        const std::optional<bool> enabled = it.take_flag("enabled");
        it.warn(it.place_of_key("enabled"), "a rule of nothing but 'enabled' is deprecated",
                "say `override: {enabled: replace}` too");
        if (enabled)
            collector_.enable(name, *enabled, it.place());
    }

    void define_rule(ItemView& it, const std::string& name) {
        RuleDefinition rule;
        rule.name = name;
        rule.place = it.place();
        rule.condition = it.take_text("condition", true).value_or(Text());
        rule.output = it.take_text("output", true).value_or(Text());
        rule.output.trim();
        rule.description = it.take_word("desc", true).value_or(std::string());
        rule.priority = it.take_priority(true).value_or(Priority::debug);
        rule.source = it.take_word("source", false).value_or(rule.source);
        rule.enabled = it.take_flag("enabled").value_or(true);
        rule.warn_evttypes = it.take_flag("warn_evttypes").value_or(true);
        rule.skip_if_unknown_filter = it.take_flag("skip-if-unknown-filter").value_or(false);
        rule.capture = it.take_flag("capture").value_or(false);
        rule.capture_duration_ms = it.take_number("capture_duration").value_or(0);
        rule.tags = it.take_tags();
        rule.exceptions = it.take_exceptions(false);
        if (it.good())
            collector_.define(std::move(rule));
    }

    void append_rule(ItemView& it, const std::string& name) {
        RuleUpdate update;
        update.name = name;
        update.place = it.place();
        update.condition = it.take_text("condition", false);
        if (it.has("exceptions"))
            update.exceptions = it.take_exceptions(true);
        if (!update.condition && !update.exceptions)
            it.complain(it.place(), "appends neither a condition nor exceptions");
        if (it.good())
            collector_.append(std::move(update));
    }

    void override_rule(ItemView& it, const std::string& name) {
        const Overrides overrides = read_overrides(
            it, {"condition", "output", "desc", "tags", "exceptions"},
            {"condition", "output", "desc", "priority", "tags", "exceptions", "enabled",
             "warn_evttypes", "skip-if-unknown-filter", "capture", "capture_duration"});
        for (const DocumentNode& key : it.node().keys) {
            const std::string& word = key.scalar;
            if (word != "rule" && word != "override" && word != "append" &&
                !overrides.contains(word))
                it.complain(place_of(file_, key.mark), "'" + word + "' is not under 'override'");
        }
        RuleUpdate append = update_of(it, name, overrides, Change::append);
        RuleUpdate replace = update_of(it, name, overrides, Change::replace);
        if (!it.good())
            return;
        const auto asks = [&overrides](Change change) {
            return std::any_of(overrides.begin(), overrides.end(),
                               [change](const auto& entry) { return entry.second == change; });
        };
        if (asks(Change::append))
            collector_.append(std::move(append));
        if (asks(Change::replace))
            collector_.replace(std::move(replace));
    }

    static RuleUpdate update_of(ItemView& it, const std::string& name, const Overrides& overrides,
                                Change change) {
        const auto wants = [&](const char* key) {
            const auto found = overrides.find(key);
            return found != overrides.end() && found->second == change;
        };
        RuleUpdate update;
        update.name = name;
        update.place = it.place();
        if (wants("condition"))
            update.condition = it.take_text("condition", true);
        if (wants("output"))
            update.output = it.take_text("output", true);
        if (wants("desc"))
            update.description = it.take_word("desc", true);
        if (wants("tags"))
            update.tags = it.take_tags();
        if (wants("exceptions"))
            update.exceptions = it.take_exceptions(change == Change::append);
        if (wants("priority"))
            update.priority = it.take_priority(true);
        if (wants("enabled"))
            update.enabled = it.take_flag("enabled");
        if (wants("warn_evttypes"))
            update.warn_evttypes = it.take_flag("warn_evttypes");
        if (wants("skip-if-unknown-filter"))
            update.skip_if_unknown_filter = it.take_flag("skip-if-unknown-filter");
        if (wants("capture"))
            update.capture = it.take_flag("capture");
        if (wants("capture_duration"))
            update.capture_duration_ms = it.take_number("capture_duration");
        return update;
    }

    const Sources& sources_;
    std::uint32_t file_;
    Collector& collector_;
    Diagnostics& diagnostics_;
};

} // namespace

void read_rules(const Sources& sources, std::uint32_t file, Collector& collector,
                Diagnostics& diagnostics) {
    Reader(sources, file, collector, diagnostics).read();
}

} // namespace tiercel::rules
