// SPDX-License-Identifier: Apache-2.0
//
// Definitions: the lists, macros and rules of the files, after appends and overrides and before
// names are resolved.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analyzer/config/priority.h"
#include "analyzer/rules/source.h"

namespace tiercel::rules {

using config::find_priority;
using config::Priority;
using config::priority_name;

// A word of a YAML sequence, and where it stands.
struct Item {
    std::string text;
    Place place;
};

struct ListDefinition {
    std::string name;
    Place place;
    std::vector<Item> items;
};

struct MacroDefinition {
    std::string name;
    Place place;
    Text condition;
    // A macro may use macros that were first defined before its last change, as in Falco.
    std::uint32_t first_defined = 0;
    std::uint32_t last_touched = 0;
};

// A word, or a sequence of entries. Exceptions consist of entries.
struct Entry {
    bool is_list = false;
    std::string word;
    std::vector<Entry> entries;
    Place place;
    bool given() const { return is_list || !word.empty(); }
};

struct ExceptionDefinition {
    std::string name;
    Place place;
    Entry fields;
    Entry comps;
    std::vector<Entry> values;
};

struct RuleDefinition {
    std::string name;
    Place place;
    Text condition;
    Text output;
    std::string description;
    Priority priority = Priority::debug;
    std::vector<std::string> tags; // sorted, each once
    std::string source = "syscall";
    bool enabled = true;
    bool warn_evttypes = true;
    bool skip_if_unknown_filter = false;
    bool capture = false;
    std::uint64_t capture_duration_ms = 0; // 0: the configuration's default
    std::vector<ExceptionDefinition> exceptions;
};

// Adds the tags that are missing, and keeps the order.
void add_tags(std::vector<std::string>& tags, const std::vector<std::string>& more);

} // namespace tiercel::rules
