// SPDX-License-Identifier: Apache-2.0
//
// ItemView: reads the keys of an item, and reports those that are missing, unknown or wrong.
#include "analyzer/rules/item.h"

#include <algorithm>
#include <charconv>

#include "analyzer/language/suggest.h"
#include "analyzer/rules/collector.h"

namespace tiercel::rules {

using config::DocumentNode;

void ItemView::complain(const Place& place, std::string message, std::string hint) {
    good_ = false;
    diagnostics_.add({Severity::error, place, 1, subject_, std::move(message), std::move(hint)});
}

void ItemView::warn(const Place& place, std::string message, std::string hint) {
    if (diagnostics_.all().size() >= kMostDiagnostics)
        return;
    diagnostics_.add({Severity::warning, place, 1, subject_, std::move(message), std::move(hint)});
}

Place ItemView::place_of_key(std::string_view key) const {
    const DocumentNode* node = node_.find_key(key);
    return node != nullptr ? place_of(file_, node->mark) : place();
}

const DocumentNode* ItemView::scalar(std::string_view key, bool required) {
    const DocumentNode* value = node_.find(key);
    if (value == nullptr) {
        if (required)
            complain(place(), "has no '" + std::string(key) + "'");
        return nullptr;
    }
    if (!value->is_scalar() || value->scalar.empty()) {
        complain(place_of_key(key), "'" + std::string(key) + "' must be a text that is not empty");
        return nullptr;
    }
    return value;
}

std::optional<std::string> ItemView::take_word(std::string_view key, bool required) {
    const DocumentNode* value = scalar(key, required);
    return value != nullptr ? std::optional<std::string>(value->scalar) : std::nullopt;
}

std::optional<std::string> ItemView::take_name(std::string_view key) {
    std::optional<std::string> name = take_word(key, true);
    if (name && name->size() > kLongestName) {
        complain(place_of_key(key),
                 "the name is longer than " + std::to_string(kLongestName) + " bytes");
        return std::nullopt;
    }
    return name;
}

std::optional<bool> ItemView::take_flag(std::string_view key) {
    const DocumentNode* value = scalar(key, false);
    if (value == nullptr)
        return std::nullopt;
    bool flag = false;
    if (!config::read_bool(value->scalar, flag)) {
        complain(place_of(file_, value->mark), "'" + std::string(key) + "' must be true or false");
        return std::nullopt;
    }
    return flag;
}

std::optional<std::uint64_t> ItemView::take_number(std::string_view key) {
    const DocumentNode* value = scalar(key, false);
    if (value == nullptr)
        return std::nullopt;
    std::uint64_t number = 0;
    const char* end = value->scalar.data() + value->scalar.size();
    const auto [stop, error] = std::from_chars(value->scalar.data(), end, number);
    if (error != std::errc() || stop != end) {
        complain(place_of(file_, value->mark), "'" + std::string(key) + "' must be a whole number");
        return std::nullopt;
    }
    return number;
}

std::optional<Text> ItemView::take_text(std::string_view key, bool required) {
    const DocumentNode* value = scalar(key, required);
    if (value == nullptr)
        return std::nullopt;
    Text text;
    text.append(sources_, file_, *value);
    return text;
}

std::optional<std::vector<Item>> ItemView::take_items(std::string_view key, bool required) {
    const DocumentNode* value = node_.find(key);
    if (value == nullptr) {
        if (required)
            complain(place(), "has no '" + std::string(key) + "'");
        return std::nullopt;
    }
    if (!value->is_sequence()) {
        complain(place_of_key(key), "'" + std::string(key) + "' must be a sequence");
        return std::nullopt;
    }
    std::vector<Item> items;
    for (const DocumentNode& item : value->items) {
        if (!item.is_scalar())
            complain(place_of(file_, item.mark), "'" + std::string(key) + "' may hold words only");
        else
            items.push_back({item.scalar, place_of(file_, item.mark)});
    }
    return items;
}

std::optional<Priority> ItemView::take_priority(bool required) {
    const DocumentNode* value = scalar("priority", required);
    if (value == nullptr)
        return std::nullopt;
    const std::optional<Priority> priority = find_priority(value->scalar);
    if (!priority) {
        complain(place_of(file_, value->mark), "no such priority: '" + value->scalar + "'",
                 "one of emergency, alert, critical, error, warning, notice, info, debug");
    }
    return priority;
}

std::vector<std::string> ItemView::take_tags() {
    std::vector<std::string> tags;
    std::vector<std::string> given;
    for (Item& item : take_items("tags", false).value_or(std::vector<Item>()))
        given.push_back(std::move(item.text));
    add_tags(tags, given);
    return tags;
}

Entry ItemView::entry_of(const DocumentNode& node) {
    Entry entry;
    entry.place = place_of(file_, node.mark);
    if (node.is_sequence()) {
        entry.is_list = true;
        for (const DocumentNode& item : node.items)
            entry.entries.push_back(entry_of(item));
    } else if (node.is_scalar() && !node.scalar.empty()) {
        entry.word = node.scalar;
    } else {
        complain(entry.place, "exceptions are made of words and sequences of words");
    }
    return entry;
}

std::optional<ExceptionDefinition> ItemView::exception_of(const DocumentNode& node,
                                                          bool appending) {
    ItemView view(sources_, file_, node, subject_, diagnostics_);
    ExceptionDefinition exception;
    exception.place = view.place();
    if (!node.is_mapping()) {
        complain(exception.place, "an exception must be a mapping with a name");
        return std::nullopt;
    }
    view.warn_unknown_keys({"name", "fields", "comps", "values"});
    exception.name = view.take_name("name").value_or(std::string());
    if (const DocumentNode* fields = node.find("fields"))
        exception.fields = entry_of(*fields);
    if (const DocumentNode* comps = node.find("comps"))
        exception.comps = entry_of(*comps);
    const DocumentNode* values = node.find("values");
    if (values != nullptr && !values->is_null()) {
        if (!values->is_sequence())
            complain(view.place_of_key("values"), "the values of an exception must be a sequence");
        for (const DocumentNode& value : values->items)
            exception.values.push_back(entry_of(value));
    } else if (appending) {
        warn(exception.place, "exception '" + exception.name + "' is appended to without values");
    }
    good_ = good_ && view.good();
    return exception;
}

std::vector<ExceptionDefinition> ItemView::take_exceptions(bool appending) {
    std::vector<ExceptionDefinition> exceptions;
    const DocumentNode* value = node_.find("exceptions");
    if (value == nullptr || value->is_null())
        return exceptions;
    if (!value->is_sequence()) {
        complain(place_of_key("exceptions"), "'exceptions' must be a sequence");
        return exceptions;
    }
    if (value->items.size() > kMostExceptions) {
        complain(place_of_key("exceptions"), kTooManyExceptions);
        return exceptions;
    }
    for (const DocumentNode& node : value->items) {
        std::optional<ExceptionDefinition> exception = exception_of(node, appending);
        if (!exception)
            continue;
        const bool twice = std::any_of(exceptions.begin(), exceptions.end(),
                                       [&exception](const ExceptionDefinition& other) {
                                           return other.name == exception->name;
                                       });
        if (twice)
            warn(exception->place, "has two exceptions named '" + exception->name + "'",
                 "both apply; appending adds to the first");
        exceptions.push_back(std::move(*exception));
    }
    return exceptions;
}

void ItemView::warn_unknown_keys(std::initializer_list<std::string_view> known) {
    for (std::size_t i = 0; i < node_.keys.size(); ++i) {
        const DocumentNode& key = node_.keys[i];
        const Place at = place_of(file_, key.mark);
        if (std::find(known.begin(), known.end(), key.scalar) == known.end()) {
            if (diagnostics_.all().size() >= kMostDiagnostics)
                return;
            filter::Suggestion best(key.scalar);
            for (const std::string_view name : known)
                best.consider(name);
            warn(at, "unknown key '" + key.scalar + "'", best.hint());
        } else if (node_.find_key(key.scalar) != &key) {
            warn(at, "'" + key.scalar + "' is given twice; the first counts");
        }
    }
}

} // namespace tiercel::rules
