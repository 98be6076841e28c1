// SPDX-License-Identifier: Apache-2.0
#include "analyzer/rules/diagnostic.h"

#include <algorithm>
#include <tuple>

namespace tiercel::rules {

namespace {

// A long line is shown only around the place.
constexpr std::size_t kBefore = 60;
constexpr std::size_t kWidth = 110;

// Rule files come from anywhere and this goes to a terminal.
std::string printable(std::string_view text) {
    std::string clean(text);
    for (char& c : clean) {
        if (c == '\t')
            c = ' ';
        else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
            c = '?';
    }
    return clean;
}

std::string excerpt(const Sources& sources, const Diagnostic& diagnostic) {
    std::string line = printable(sources.line(diagnostic.place));
    std::size_t column = diagnostic.place.column > 0 ? diagnostic.place.column - 1 : 0;
    column = std::min(column, line.size());
    if (column > kBefore) {
        line = "..." + line.substr(column - kBefore);
        column = kBefore + 3;
    }
    if (line.size() > kWidth)
        line = line.substr(0, kWidth) + "...";
    const std::size_t room = line.size() > column ? line.size() - column : 1;
    const std::size_t length = std::clamp<std::size_t>(diagnostic.length, 1, room);
    return "  " + line + "\n  " + std::string(column, ' ') + '^' + std::string(length - 1, '~') +
           '\n';
}

} // namespace

std::size_t Diagnostics::count(Severity severity) const {
    return static_cast<std::size_t>(
        std::count_if(all_.begin(), all_.end(),
                      [severity](const Diagnostic& d) { return d.severity == severity; }));
}

void Diagnostics::sort() {
    std::stable_sort(all_.begin(), all_.end(), [](const Diagnostic& a, const Diagnostic& b) {
        return std::tie(a.place.file, a.place.line, a.place.column) <
               std::tie(b.place.file, b.place.line, b.place.column);
    });
}

std::string_view severity_name(Severity severity) {
    switch (severity) {
    case Severity::error: return "error";
    case Severity::warning: return "warning";
    case Severity::note: return "note";
    }
    return "error";
}

std::string format(const Sources& sources, const Diagnostic& diagnostic) {
    std::string out;
    if (diagnostic.place.file < sources.size()) {
        out += printable(sources.name(diagnostic.place.file));
        if (diagnostic.place.line != 0) {
            out += ':' + std::to_string(diagnostic.place.line) + ':' +
                   std::to_string(diagnostic.place.column);
        }
        out += ": ";
    }
    out += severity_name(diagnostic.severity);
    out += ": ";
    if (!diagnostic.subject.empty())
        out += printable(diagnostic.subject) + ": ";
    out += printable(diagnostic.message) + '\n';
    if (diagnostic.place.file < sources.size() && diagnostic.place.line != 0)
        out += excerpt(sources, diagnostic);
    if (!diagnostic.hint.empty())
        out += "  " + printable(diagnostic.hint) + '\n';
    return out;
}

} // namespace tiercel::rules
