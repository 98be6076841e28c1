// SPDX-License-Identifier: Apache-2.0
//
// Reads a configuration file or one -o option: finds each key in the table, expands ${VAR} in its
// value, and hands the value to the key's reader.
#include "analyzer/config/settings.h"

#include <algorithm>

#include "analyzer/config/keys.h"

namespace tiercel::config {

namespace {

using Problems = std::vector<SettingsProblem>;

// Prefixes are compared by whole characters; the edit distance of the condition language's
// suggestions is above this layer.
std::string nearest_key(std::string_view name) {
    const auto shared = [](std::string_view a, std::string_view b) {
        return static_cast<std::size_t>(
            std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
    };
    std::string_view best;
    for (const Key& key : keys())
        if (key.take && shared(name, key.name) > std::max<std::size_t>(3, shared(name, best)))
            best = key.name;
    return best.empty() ? std::string() : "did you mean '" + std::string(best) + "'?";
}

bool leads_to_key(const std::string& prefix) {
    return std::ranges::any_of(keys(), [&prefix](const Key& key) {
        return key.take && key.name.starts_with(prefix + '.');
    });
}

// Returns the row without a reader that covers `name` or a mapping around it; nullptr: none does.
const Key* find_without_effect(std::string_view name) {
    const auto found = std::ranges::find_if(keys(), [name](const Key& key) {
        return !key.take && name.starts_with(key.name) &&
               (name.size() == key.name.size() || name[key.name.size()] == '.');
    });
    return found == keys().end() ? nullptr : &*found;
}

bool is_enabled(const DocumentNode& node, const std::string& name) {
    bool value = false;
    const DocumentNode* enabled = name.ends_with(".enabled") ? &node : node.find("enabled");
    return enabled != nullptr && enabled->is_scalar() && read_bool(enabled->scalar, value) && value;
}

class Walk {
  public:
    Walk(Settings& settings, Problems& problems) : settings_(settings), problems_(problems) {}

    void take_mapping(const std::string& prefix, const DocumentNode& node) {
        for (std::size_t i = 0; i < node.keys.size(); ++i)
            take(prefix + node.keys[i].scalar, node.items[i], node.keys[i].mark);
    }

    void take(const std::string& name, const DocumentNode& node, const Mark& mark) {
        const Key* key = find_key(name);
        if (key != nullptr && key->take) {
            if (const std::string wrong = key->take(node, settings_); !wrong.empty())
                say(true, mark, "'" + name + "' " + wrong);
        } else if (leads_to_key(name) && (node.is_mapping() || node.is_null())) {
            take_mapping(name + '.', node);
        } else if (const Key* other = find_without_effect(name); other != nullptr) {
            without_effect(*other, name, node, mark);
        } else {
            say(true, mark, "unknown key '" + name + "'", nearest_key(name));
        }
    }

  private:
    void without_effect(const Key& key, const std::string& name, const DocumentNode& node,
                        const Mark& mark) {
        if (key.standing == Key::Standing::elsewhere)
            return;
        if (key.standing != Key::Standing::absent)
            say(false, mark, "'" + name + "' has no effect here", std::string(key.doc));
        else if (is_enabled(node, name))
            say(true, mark, "'" + std::string(key.name) + "' does not exist here",
                std::string(key.doc));
    }
    void say(bool error, const Mark& mark, std::string message, std::string hint = {}) {
        problems_.push_back({error, mark.line, mark.column, std::move(message), std::move(hint)});
    }

    Settings& settings_;
    Problems& problems_;
};

DocumentNode mapping_of(const std::string& key, DocumentNode value) {
    DocumentNode name, mapping;
    name.kind = DocumentNode::Kind::scalar;
    name.scalar = key;
    mapping.kind = DocumentNode::Kind::mapping;
    mapping.keys.push_back(std::move(name));
    mapping.items.push_back(std::move(value));
    return mapping;
}

// Reads the value of a -o option: YAML if it begins as a sequence, a mapping or a quoted text,
// because in other values characters like * and : stand for themselves.
std::variant<DocumentNode, DocumentError> read_value(std::string_view text) {
    DocumentNode node;
    if (text.empty())
        return node;
    if (std::string_view("[{\"'").find(text.front()) == std::string_view::npos) {
        node.kind = DocumentNode::Kind::scalar;
        node.scalar = text;
        return node;
    }
    auto read = read_document(text);
    if (const auto* error = std::get_if<DocumentError>(&read))
        return *error;
    auto& roots = std::get<0>(read);
    return roots.empty() ? node : std::move(roots[0]);
}

// "rules[].disable.rule=*" adds an item to the sequence `rules`: the rest of the path becomes
// mappings around the value.
void append_item(const std::string& name, std::string_view path, DocumentNode value, const Key* key,
                 Settings& settings, Walk& walk) {
    while (!path.empty()) {
        const std::size_t dot = path.rfind('.');
        value = mapping_of(std::string(path.substr(dot + 1)), std::move(value));
        path = path.substr(0, dot == std::string_view::npos ? 0 : dot);
    }
    DocumentNode list;
    list.kind = DocumentNode::Kind::sequence;
    list.items.push_back(std::move(value));
    Settings added;
    if (key != nullptr && key->take && key->take(list, added).empty()) {
        append_lists(std::move(added), settings);
        return;
    }
    walk.take(name, list, Mark()); // says what is wrong
}

} // namespace

void read_settings(std::string_view text, Settings& settings, Problems& problems) {
    auto result = read_document(text);
    if (const auto* error = std::get_if<DocumentError>(&result)) {
        problems.push_back({true,
                            error->mark.line,
                            error->mark.column,
                            "this is not YAML: " + error->message,
                            {}});
        return;
    }
    for (DocumentNode& root : std::get<0>(result)) {
        expand_variables(root);
        if (root.is_mapping())
            Walk(settings, problems).take_mapping("", root);
        else if (!root.is_null())
            problems.push_back(
                {true, root.mark.line, root.mark.column, "must be a mapping of keys", {}});
    }
}

void read_option(std::string_view option, Settings& settings, Problems& problems) {
    const std::size_t equal = option.find('=');
    if (equal == std::string_view::npos || equal == 0) {
        problems.push_back({true, 0, 0, "'" + std::string(option) + "' is not KEY=VALUE", {}});
        return;
    }
    auto value = read_value(option.substr(equal + 1));
    if (const auto* error = std::get_if<DocumentError>(&value)) {
        problems.push_back({true, 0, 0, "'" + std::string(option) + "': " + error->message, {}});
        return;
    }
    DocumentNode& node = std::get<DocumentNode>(value);
    expand_variables(node);
    Walk walk(settings, problems);
    const std::string_view name = option.substr(0, equal);
    const std::size_t item = name.find("[]");
    if (item == std::string_view::npos)
        return walk.take(std::string(name), node, Mark());
    const std::string list(name.substr(0, item));
    std::string_view path = name.substr(item + 2);
    path.remove_prefix(path.starts_with('.') ? 1 : 0);
    append_item(list, path, std::move(node), find_key(list), settings, walk);
}

void append_lists(Settings from, Settings& settings) {
    const auto move_to = [](auto& list, auto& into) {
        into.insert(into.end(), std::make_move_iterator(list.begin()),
                    std::make_move_iterator(list.end()));
    };
    move_to(from.config_files, settings.config_files);
    move_to(from.rules_files, settings.rules_files);
    move_to(from.rules, settings.rules);
    move_to(from.append_output, settings.append_output);
    move_to(from.static_fields, settings.static_fields);
    move_to(from.base_syscalls, settings.base_syscalls);
    move_to(from.fold_by, settings.fold_by);
}

} // namespace tiercel::config
