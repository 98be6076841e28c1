// SPDX-License-Identifier: Apache-2.0
//
// RuleSet: loaded rules, with the program that matches them all. load() makes it whole or not at
// all, and it never changes. To reload, make another and swap the pointers.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "analyzer/match/interest.h"
#include "analyzer/rules/definition.h"
#include "analyzer/rules/diagnostic.h"

namespace tiercel::rules {

struct Rule {
    std::string name;
    std::string description;
    std::string condition; // with its exceptions
    std::string output;    // with the additions of append_output
    Priority priority = Priority::debug;
    std::vector<std::string> tags;
    std::string source;
    bool enabled = true; // and its priority is above the threshold; other rules never match
    bool capture = false;
    std::uint64_t capture_duration_ms = 0;
    std::vector<std::pair<std::string, std::string>> extra_fields; // name and format, JSON only
};

struct RuleSet {
    std::vector<Rule> rules; // in order of definition; positions are filter::RuleIds
    std::shared_ptr<const filter::Program> program;
    filter::Interest interest; // the events that the rules need
};

// Rules to switch on or off after loading, in order. Empty names match every rule.
struct Selection {
    bool enable = false;
    std::string rule; // a name, with * and ?
    std::string tag;
};

// What is added to the output of some rules (Falco's append_output). Empty conditions match every
// rule.
struct OutputAddition {
    std::string source;
    std::vector<std::string> tags; // all of them
    std::string rule;
    std::string extra_output;
    std::vector<std::pair<std::string, std::string>> extra_fields;
    bool suggested = false; // adds the fields that Falco's container plugin suggests
};

struct OutputProblem {
    std::size_t offset = 0; // into the format
    std::size_t length = 1;
    std::string message;
    std::string hint;
    bool unknown = false; // there is no such field
    bool warning = false; // the output is valid, but old
};

struct LoadOptions {
    filter::FieldCatalog* fields = nullptr; // never null
    // Checks an output format; if it is not set, outputs are not checked.
    std::function<std::optional<OutputProblem>(const std::string& format)> check_output;
    Priority threshold = Priority::debug;
    std::vector<Selection> selections;
    std::vector<OutputAddition> additions;
};

struct Loaded {
    std::shared_ptr<const RuleSet> rules; // null when there are errors
    Sources sources;
    Diagnostics diagnostics;
};

} // namespace tiercel::rules
