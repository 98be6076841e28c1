// SPDX-License-Identifier: Apache-2.0
//
// Reads courier.yaml: finds each key in keys.def, and checks its value by the form that the table
// gives. What single destinations ask of their values is checked when they are made.
#include "courier/config/config.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "shared/document/document.h"

namespace tiercel::courier {

namespace {

using config::DocumentNode;

enum class Form : std::uint8_t { text, flag, whole, bytes, span, list };

constexpr unsigned bit(Kind kind) {
    return 1U << static_cast<unsigned>(kind);
}
constexpr unsigned kAll = ~0U;
constexpr unsigned kLoki = bit(Kind::loki), kElasticsearch = bit(Kind::elasticsearch),
                   kSyslog = bit(Kind::syslog), kNats = bit(Kind::nats), kKafka = bit(Kind::kafka),
                   kProgram = bit(Kind::program);
constexpr unsigned kHttpBased =
    bit(Kind::http) | bit(Kind::alertmanager) | kLoki | kElasticsearch | bit(Kind::otlp);
#define REQUIRED "\1"

struct Key {
    unsigned destinations; // 0: of the whole courier
    std::string_view name;
    Form form;
    std::string_view preset;
};
constexpr Key kKeys[] = {
#define KEY(key, form, preset, doc) {0, key, Form::form, preset},
#define OPTION(destinations, key, form, preset, doc) {destinations, key, Form::form, preset},
#include "courier/config/keys.def"
#undef KEY
#undef OPTION
};

constexpr std::string_view kTypes[] = {
#define DESTINATION(id, type, doc) type,
#include "courier/config/destinations.def"
#undef DESTINATION
};

// Reads a number that one of the units may follow. Returns false if `text` is nothing of the kind.
bool read_number(std::string_view text, std::string_view units,
                 std::initializer_list<std::uint64_t> factors, std::uint64_t& value) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
    if (error != std::errc() || unit.size() > 1 ||
        (!unit.empty() && units.find(unit[0]) == std::string_view::npos))
        return false;
    const std::uint64_t factor = unit.empty() ? 1 : factors.begin()[units.find(unit[0])];
    return !__builtin_mul_overflow(value, factor, &value);
}

bool read_quantity(Form form, std::string_view text, std::uint64_t& value) {
    switch (form) {
    case Form::bytes: return read_number(text, "KMG", {1ULL << 10, 1ULL << 20, 1ULL << 30}, value);
    case Form::span: return read_number(text, "smhd", {1, 60, 3600, 86'400}, value);
    case Form::whole: return read_number(text, "", {}, value);
    case Form::text:
    case Form::flag:
    case Form::list: return false;
    }
    return false;
}

// Stores the node's value as text; a sequence as lines. Returns what is wrong with it.
std::string take_value(Form form, const DocumentNode& node, std::string& value) {
    std::uint64_t number = 0;
    bool flag = false;
    if (form == Form::list) {
        for (const DocumentNode& item : node.items)
            value += item.scalar + '\n';
        return node.is_sequence() ? "" : "must be a sequence of texts";
    }
    value = node.scalar;
    if (!node.is_scalar() && !node.is_null())
        return "must be a single value";
    if (form == Form::flag && !config::read_bool(value, flag))
        return "must be true or false";
    if (form == Form::flag)
        value = flag ? "true" : "false";
    if (form == Form::whole && !read_quantity(form, value, number))
        return "must be a whole number";
    if (form == Form::bytes && !read_quantity(form, value, number))
        return "must be a number of bytes, such as 64M";
    if (form == Form::span && !read_quantity(form, value, number))
        return "must be a time, such as 30s, 10m, 12h or 7d";
    return "";
}

// Collects what is wrong, with lines.
class Reader {
  public:
    std::vector<std::string> wrong;

    void say(const DocumentNode& node, const std::string& what) {
        wrong.push_back("line " + std::to_string(node.mark.line) + ": " + what);
    }

    // Takes the keys of a mapping of the whole courier; mappings within it have longer names.
    void take_courier(const std::string& prefix, const DocumentNode& mapping, Config& config) {
        for (std::size_t i = 0; i < mapping.keys.size(); ++i) {
            const std::string name = prefix + mapping.keys[i].scalar;
            const DocumentNode& value = mapping.items[i];
            if (name == "destinations")
                take_destinations(value, config);
            else if (value.is_mapping() && std::ranges::any_of(kKeys, [&name](const Key& key) {
                         return key.destinations == 0 && key.name.starts_with(name + '.');
                     }))
                take_courier(name + '.', value, config);
            else
                take_key(0, name, mapping.keys[i], value, config.courier);
        }
    }

    void take_destination(const DocumentNode& item, Options& options) {
        const unsigned kind = bit(options.kind);
        for (std::size_t i = 0; i < item.keys.size(); ++i)
            take_key(kind, item.keys[i].scalar, item.keys[i], item.items[i], options);
        fill(kind, item, options);
    }

    // Gives the keys without a value their default.
    void fill(unsigned kind, const DocumentNode& item, Options& options) {
        for (const Key& key : kKeys) {
            const bool wanted = kind == 0 ? key.destinations == 0 : (key.destinations & kind) != 0;
            if (!wanted || options.has(key.name))
                continue;
            if (key.preset == REQUIRED)
                say(item, "the destination '" + options.name + "' has no '" +
                              std::string(key.name) + "'");
            std::uint64_t number = 0;
            options.set(key.name, read_quantity(key.form, key.preset, number)
                                      ? std::to_string(number)
                                      : std::string(key.preset));
        }
    }

  private:
    void take_key(unsigned kind, const std::string& name, const DocumentNode& where,
                  const DocumentNode& node, Options& options) {
        const auto found = std::ranges::find_if(kKeys, [kind, &name](const Key& key) {
            return key.name == name &&
                   (kind == 0 ? key.destinations == 0 : (key.destinations & kind) != 0);
        });
        if (found == std::end(kKeys))
            return say(where, "unknown key '" + name + "'");
        std::string value;
        std::uint64_t number = 0;
        if (const std::string fault = take_value(found->form, node, value); !fault.empty())
            return say(where, "'" + name + "' " + fault);
        if (read_quantity(found->form, value, number))
            value = std::to_string(number);
        options.set(name, std::move(value));
    }

    void take_destinations(const DocumentNode& node, Config& config) {
        if (!node.is_sequence())
            return say(node, "'destinations' must be a sequence");
        for (const DocumentNode& item : node.items) {
            const DocumentNode* name = item.find("name");
            const DocumentNode* type = item.find("type");
            Options options;
            options.name = name != nullptr ? name->scalar : "";
            if (!is_name(options.name)) {
                say(item, "a destination's 'name' must be 1 to 31 of a-z, 0-9, - and _");
                continue;
            }
            if (std::ranges::any_of(config.destinations, [&options](const Options& other) {
                    return other.name == options.name;
                }))
                say(item, "two destinations have the name '" + options.name + "'");
            const auto* known =
                type == nullptr ? std::end(kTypes) : std::ranges::find(kTypes, type->scalar);
            if (known == std::end(kTypes)) {
                say(item, "the destination '" + options.name + "' has no known 'type'");
                continue;
            }
            options.kind = static_cast<Kind>(known - std::begin(kTypes));
            take_destination(item, options);
            config.destinations.push_back(std::move(options));
        }
    }

    static bool is_name(std::string_view name) {
        return !name.empty() && name.size() < 32 && std::ranges::all_of(name, [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
        });
    }
};

// Reads the documents of a file. Returns the fault if the text is not YAML.
std::string read_roots(std::string_view text, std::vector<DocumentNode>& roots) {
    auto read = config::read_document(text);
    if (const auto* error = std::get_if<config::DocumentError>(&read))
        return "line " + std::to_string(error->mark.line) + ": this is not YAML: " + error->message;
    roots = std::move(std::get<0>(read));
    for (DocumentNode& root : roots)
        config::expand_variables(root);
    return "";
}

} // namespace

const std::string& Options::text(std::string_view key) const {
    static const std::string kNone;
    const auto found = values_.find(key);
    return found == values_.end() ? kNone : found->second;
}

bool Options::flag(std::string_view key) const {
    return text(key) == "true";
}

std::uint64_t Options::number(std::string_view key) const {
    std::uint64_t value = 0;
    const std::string& digits = text(key);
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return value;
}

std::vector<std::string> Options::list(std::string_view key) const {
    std::vector<std::string> items;
    std::string_view rest = text(key);
    while (!rest.empty()) {
        const std::size_t end = rest.find('\n');
        items.emplace_back(rest.substr(0, end));
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    }
    return items;
}

std::vector<std::string> read_config(std::string_view text, Config& config) {
    std::vector<DocumentNode> roots;
    if (std::string fault = read_roots(text, roots); !fault.empty())
        return {std::move(fault)};
    Reader reader;
    for (const DocumentNode& root : roots) {
        if (root.is_mapping())
            reader.take_courier("", root, config);
        else if (!root.is_null())
            reader.say(root, "must be a mapping of keys");
    }
    reader.fill(0, {}, config.courier);
    return std::move(reader.wrong);
}

std::vector<std::string> read_falco_config(std::string_view text, Config& config) {
    std::vector<DocumentNode> roots;
    if (std::string fault = read_roots(text, roots); !fault.empty())
        return {std::move(fault)};
    Reader reader;
    for (const DocumentNode& root : roots) {
        const DocumentNode* output = root.find("http_output");
        const DocumentNode* enabled = output == nullptr ? nullptr : output->find("enabled");
        bool on = false;
        if (enabled == nullptr || !config::read_bool(enabled->scalar, on) || !on)
            continue;
        DocumentNode item = *output;
        const auto place = enabled - output->items.data();
        item.keys.erase(item.keys.begin() + place);
        item.items.erase(item.items.begin() + place);
        Options options;
        options.kind = Kind::http;
        options.name = "http_output";
        options.set("name", options.name);
        options.set("type", "http");
        options.set("plain_text", "true"); // Falco connects without TLS when the URL says so
        reader.take_destination(item, options);
        config.destinations.push_back(std::move(options));
    }
    return std::move(reader.wrong);
}

std::string unreadable_file(const Options& options, std::initializer_list<const char*> keys) {
    for (const char* key : keys)
        if (const std::string& path = options.text(key);
            !path.empty() && access(path.c_str(), R_OK) != 0)
            return "cannot read '" + std::string(key) + "', " + path + ": " + std::strerror(errno);
    return "";
}

bool is_local(std::string_view url) {
    const std::size_t scheme = url.find("://");
    if (scheme != std::string_view::npos)
        url.remove_prefix(scheme + 3);
    url = url.substr(0, url.find('/'));
    if (const std::size_t user = url.rfind('@'); user != std::string_view::npos)
        url.remove_prefix(user + 1);
    if (url.starts_with("[::1]"))
        return true;
    url = url.substr(0, url.rfind(':'));
    return url == "localhost" || (url.starts_with("127.") &&
                                  url.find_first_not_of("0123456789.") == std::string_view::npos);
}

} // namespace tiercel::courier
