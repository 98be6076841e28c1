// SPDX-License-Identifier: Apache-2.0
//
// Diagnostics: everything that is wrong, or odd, about the rule files. Loading collects them all
// instead of stopping at the first, and loads nothing when one of them is an error.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "analyzer/rules/source.h"

namespace tiercel::rules {

enum class Severity : std::uint8_t {
    error,   // nothing is loaded
    warning, // loaded, but probably not what was meant
    note,    // worth knowing when asked (a list that nothing uses)
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
    // In the order of the files, whatever the order of discovery.
    void sort();

  private:
    std::vector<Diagnostic> all_;
};

// As compilers print it:
//   FILE:LINE:COLUMN: error: rule 'NAME': MESSAGE
//     the line
//     ^~~~
//   HINT
std::string format(const Sources& sources, const Diagnostic& diagnostic);
std::string_view severity_name(Severity severity);

} // namespace tiercel::rules
