// SPDX-License-Identifier: Apache-2.0
#include "analyzer/rules/diagnostic.h"

#include <algorithm>
#include <tuple>

#include "analyzer/rules/excerpt.h"
#include "shared/escape/escape.h"

namespace tiercel::rules {

namespace {

// A long line is shown only around the place.
constexpr std::size_t kBefore = 60, kWidth = 110;

bool continues_character(char c) {
    return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

// Returns `at`, or the end of the character of UTF-8 that it stands in.
std::size_t next_border(std::string_view text, std::size_t at) {
    while (at < text.size() && continues_character(text[at]))
        ++at;
    return std::min(at, text.size());
}

struct Excerpt {
    std::string_view shown;
    std::size_t at = 0; // the place in `shown`
    bool begins_later = false, ends_earlier = false;
};

Excerpt excerpt_of(const Sources& sources, const Place& place) {
    const std::string_view line = sources.line(place);
    const std::size_t column =
        std::min<std::size_t>(place.column > 0 ? place.column - 1 : 0, line.size());
    const std::size_t first = column > kBefore ? next_border(line, column - kBefore) : 0;
    const std::size_t last = next_border(line, first + kWidth);
    return {line.substr(first, last - first), column - std::min(first, column), first > 0,
            last < line.size()};
}

std::string escaped(std::string_view text) {
    std::string spaced(text);
    std::ranges::replace(spaced, '\t', ' ');
    return escape::as_text(spaced);
}

std::size_t columns(std::string_view text) {
    return text.size() - static_cast<std::size_t>(std::ranges::count_if(text, continues_character));
}

std::string marked_line(const Sources& sources, const Diagnostic& diagnostic) {
    const Excerpt part = excerpt_of(sources, diagnostic.place);
    const std::string before =
                          (part.begins_later ? "..." : "") + escaped(part.shown.substr(0, part.at)),
                      marked = escaped(part.shown.substr(part.at, diagnostic.length)),
                      after = escaped(part.shown.substr(
                          std::min(part.at + diagnostic.length, part.shown.size())));
    return "  " + before + marked + after + (part.ends_earlier ? "..." : "") + "\n  " +
           std::string(columns(before), ' ') + '^' +
           std::string(std::max<std::size_t>(columns(marked), 1) - 1, '~') + '\n';
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

std::string_view excerpt(const Sources& sources, const Place& place) {
    return excerpt_of(sources, place).shown;
}

std::string format(const Sources& sources, const Diagnostic& diagnostic) {
    std::string out;
    if (diagnostic.place.file < sources.size()) {
        out += escape::as_text(sources.name(diagnostic.place.file));
        if (diagnostic.place.line != 0) {
            out += ':' + std::to_string(diagnostic.place.line) + ':' +
                   std::to_string(diagnostic.place.column);
        }
        out += ": ";
    }
    out += severity_name(diagnostic.severity);
    out += ": ";
    if (!diagnostic.subject.empty())
        out += escape::as_text(diagnostic.subject) + ": ";
    out += escape::as_text(diagnostic.message) + '\n';
    if (diagnostic.place.file < sources.size() && diagnostic.place.line != 0)
        out += marked_line(sources, diagnostic);
    if (!diagnostic.hint.empty())
        out += "  " + escape::as_text(diagnostic.hint) + '\n';
    return out;
}

} // namespace tiercel::rules
