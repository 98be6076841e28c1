// SPDX-License-Identifier: Apache-2.0
//
// Document: a YAML file as a plain tree in which every node knows the line and column it came from.
// Rule files and the configurations of analyzer and courier are read through it, so that each
// complaint about either can point at its place. document.cpp is the only file that knows the YAML
// library.
//
// Keys of a mapping keep their order. Numbers and booleans stay text: the reader knows what it
// wants.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace tiercel::config {

struct Mark {
    std::uint32_t offset = 0; // bytes from the start of the file
    std::uint32_t line = 0;   // from 1; 0: nowhere
    std::uint32_t column = 0; // from 1
};

struct DocumentNode {
    enum class Kind : std::uint8_t { null, scalar, sequence, mapping };
    Kind kind = Kind::null;
    Mark mark;
    std::string scalar;
    bool quoted = false; // a scalar in quotes is text, even if it looks like a number
    std::vector<DocumentNode>
        items;                      // sequence: its items; mapping: its values, in step with `keys`
    std::vector<DocumentNode> keys; // mapping: its keys (scalars; anything else is refused)

    bool is_null() const { return kind == Kind::null; }
    bool is_scalar() const { return kind == Kind::scalar; }
    bool is_sequence() const { return kind == Kind::sequence; }
    bool is_mapping() const { return kind == Kind::mapping; }
    // The value of `key`; nullptr when this is no mapping or has no such key. The first of several.
    const DocumentNode* find(std::string_view key) const;
    const DocumentNode* find_key(std::string_view key) const;
};

struct DocumentError {
    Mark mark;
    std::string message;
};

// All YAML documents of `text`, one root each. What is in reach of a hostile file is bounded:
// depth, keys of a mapping, nodes (aliases count each time), and the text that aliases repeat (4
// MiB).
std::variant<std::vector<DocumentNode>, DocumentError> read_document(std::string_view text);

// Replaces ${VAR} in every scalar, as Falco does: it becomes the variable's value, or nothing if
// the variable is not set; $${VAR} becomes the text ${VAR}.
void expand_variables(DocumentNode& node);

// yes/no, true/false, on/off, y/n in YAML's spellings. False when it is none of these.
bool read_bool(std::string_view text, bool& value);

// Returns the bytes of "8M", "64K", "1G" or a plain number; nothing for any other text.
std::optional<std::uint64_t> read_size(std::string_view text);

} // namespace tiercel::config
