// SPDX-License-Identifier: Apache-2.0
#include "analyzer/rules/source.h"

#include <algorithm>

namespace tiercel::rules {

namespace {

bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// How far ahead a character is looked for before it counts as one that the file spells otherwise
// (an escape). A farther search for each character would take hours in a file of escapes.
constexpr std::size_t kReach = 16;

} // namespace

std::uint32_t Sources::add(std::string name, std::string text) {
    File file{std::move(name), std::move(text), {0}};
    for (std::size_t i = 0; i < file.text.size(); ++i) {
        if (file.text[i] == '\n')
            file.line_starts.push_back(i + 1);
    }
    files_.push_back(std::move(file));
    return static_cast<std::uint32_t>(files_.size() - 1);
}

std::string_view Sources::line(const Place& place) const {
    const File& file = files_[place.file];
    if (place.line == 0 || place.line > file.line_starts.size())
        return {};
    std::string_view rest = std::string_view(file.text).substr(file.line_starts[place.line - 1]);
    rest = rest.substr(0, rest.find('\n'));
    if (rest.ends_with('\r'))
        rest.remove_suffix(1);
    return rest;
}

std::size_t Sources::offset(const Place& place) const {
    const File& file = files_[place.file];
    if (place.line == 0 || place.line > file.line_starts.size())
        return file.text.size();
    const std::size_t column = place.column > 0 ? place.column - 1 : 0;
    return std::min(file.line_starts[place.line - 1] + column, file.text.size());
}

Place place_of(std::uint32_t file, const config::Mark& mark) {
    return {file, mark.line, mark.column};
}

// The file and the scalar differ in blanks (folding), quotes and escapes only, so the scalar's
// other characters are met in the file in the same order.
void Text::append(const Sources& sources, std::uint32_t file, const config::DocumentNode& node) {
    const std::string& raw = sources.text(file);
    Place here = place_of(file, node.mark);
    std::size_t at = sources.offset(here);
    const auto step = [&] {
        if (raw[at] == '\n') {
            ++here.line;
            here.column = 0;
        }
        ++here.column;
        ++at;
    };
    if (at < raw.size() && (raw[at] == '>' || raw[at] == '|')) {
        while (at < raw.size() && raw[at] != '\n')
            step();
    }
    for (const char c : node.scalar) {
        text_ += c;
        if (!is_blank(c)) {
            while (at < raw.size() && is_blank(raw[at]))
                step();
            const std::size_t ahead = std::string_view(raw).substr(at, kReach).find(c);
            for (std::size_t i = 0; ahead != std::string_view::npos && i < ahead; ++i)
                step();
        }
        places_.push_back(here);
        if (!is_blank(c) && at < raw.size() && raw[at] == c)
            step();
    }
}

void Text::append(std::string_view text, const Place& place) {
    text_ += text;
    places_.insert(places_.end(), text.size(), place);
}

void Text::append(const Text& other) {
    text_ += other.text_;
    places_.insert(places_.end(), other.places_.begin(), other.places_.end());
}

void Text::trim() {
    while (!text_.empty() && is_blank(text_.back())) {
        text_.pop_back();
        places_.pop_back();
    }
    std::size_t blanks = 0;
    while (blanks < text_.size() && is_blank(text_[blanks]))
        ++blanks;
    text_.erase(0, blanks);
    places_.erase(places_.begin(), places_.begin() + static_cast<std::ptrdiff_t>(blanks));
}

Place Text::at(std::size_t offset) const {
    if (offset < places_.size())
        return places_[offset];
    if (places_.empty())
        return {};
    Place end = places_.back();
    ++end.column;
    return end;
}

} // namespace tiercel::rules
