// SPDX-License-Identifier: Apache-2.0
//
// Diagnostics: all mistakes and oddities of the rule files. Loading does not stop at the first, and
// loads nothing if one of them is an error.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "analyzer/rules/source.h"

namespace tiercel::rules {

enum class Severity : std::uint8_t {
    error,   // the rules are not loaded
    warning, // the rules are loaded, but probably not as intended
    note,    // shown on request only (an unused list)
};

struct Diagnostic {
    Severity severity = Severity::error;
    Place place;
    std::uint32_t length = 1; // characters to underline, within the line
    std::string subject;      // "rule 'X'", "macro 'y'", or empty
    std::string message;
    std::string hint;
};

class Diagnostics {
  public:
    void add(Diagnostic diagnostic) { all_.push_back(std::move(diagnostic)); }
    const std::vector<Diagnostic>& all() const { return all_; }
    std::size_t count(Severity severity) const;
    // Sorts them by file and line.
    void sort();

  private:
    std::vector<Diagnostic> all_;
};

// Formats a diagnostic as compilers do:
//   FILE:LINE:COLUMN: error: rule 'NAME': MESSAGE
//     the line
//     ^~~~
//   HINT
std::string format(const Sources& sources, const Diagnostic& diagnostic);
std::string_view severity_name(Severity severity);

} // namespace tiercel::rules
